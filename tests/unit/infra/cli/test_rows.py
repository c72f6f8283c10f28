"""Rows become a table, JSON or CSV without losing what they say."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address
from uuid import UUID

from modeltrail.infra.cli.rows import write_csv, write_json, write_table

NAMES = ["name", "value"]


def as_json(*values: object) -> list[object]:
    output = io.StringIO()
    write_json(NAMES, [("x", value) for value in values], output)
    return [row["value"] for row in json.loads(output.getvalue())]


def as_csv(*values: object) -> list[str]:
    output = io.StringIO()
    write_csv(NAMES, [("x", value) for value in values], output)
    return output.getvalue().splitlines()


def as_table(*values: object) -> str:
    output = io.StringIO()
    write_table(NAMES, [("x", value) for value in values], output)
    return output.getvalue()


def test_json_is_a_list_with_an_object_per_row() -> None:
    output = io.StringIO()

    write_json(["a", "b"], [(1, "ü"), (2, None)], output)

    assert json.loads(output.getvalue()) == [{"a": 1, "b": "ü"}, {"a": 2, "b": None}]


def test_json_of_no_rows_is_an_empty_list() -> None:
    assert as_json() == []


def test_json_tells_times_in_iso_8601() -> None:
    naive = datetime(2026, 11, 24, 15, 0, 0, 123000)

    assert as_json(naive, naive.replace(tzinfo=UTC), date(2026, 11, 24)) == [
        "2026-11-24T15:00:00.123000",
        "2026-11-24T15:00:00.123000+00:00",
        "2026-11-24",
    ]


def test_json_has_null_for_what_is_not_a_number() -> None:
    assert as_json(float("nan"), float("inf"), float("-inf"), 0.5) == [None, None, None, 0.5]


def test_json_reaches_into_arrays_tuples_and_maps() -> None:
    assert as_json([1.0, float("nan")], (date(2026, 1, 1), b"\x01"), {1: Decimal("1.10")}) == [
        [1.0, None],
        ["2026-01-01", "01"],
        {"1": "1.10"},
    ]


def test_json_writes_other_values_as_text() -> None:
    unique = UUID(int=1)

    assert as_json(unique, IPv4Address("127.0.0.1"), True) == [str(unique), "127.0.0.1", True]


def test_csv_has_a_heading_and_quotes_what_needs_it() -> None:
    assert as_csv('say "a,b"', None, [1, 2]) == [
        "name,value",
        'x,"say ""a,b"""',
        "x,",
        'x,"[1, 2]"',
    ]


def test_a_table_shows_every_column_and_counts_the_rows() -> None:
    table = as_table("long " * 60, None, 1.23456789)

    assert "long " * 60 in table
    assert "NULL" in table
    assert "1.23457" in table
    assert "3 rows" in table


def test_a_table_does_not_take_data_for_markup() -> None:
    assert "[bold]loud[/bold]" in as_table("[bold]loud[/bold]")


def test_one_row_is_not_called_rows() -> None:
    assert as_table(1).rstrip().endswith("1 row")
