"""The layout counted from columns is the one that an Avro writer gave each datum."""

import io
from itertools import accumulate
from typing import Any

import fastavro
import polars as pl
import pytest

from modeltrail.schemas.datum_size import datum_layout
from modeltrail.schemas.polars_types import columns_of

NAMES = {"type": "array", "items": "string"}
POINT = {
    "type": "record",
    "name": "Point",
    "fields": [{"name": "x", "type": "long"}, {"name": "label", "type": "string"}],
}
FLAT = {
    "type": "record",
    "name": "Flat",
    "fields": [
        {"name": "sum", "type": {"type": "fixed", "name": "Sum", "size": 32}},
        {"name": "share", "type": "double"},
    ],
}
SERIES = {
    "type": "record",
    "name": "Series",
    "fields": [{"name": "names", "type": NAMES}, {"name": "points", "type": "long"}],
}
KIND = {"type": "enum", "name": "E", "symbols": ["UNKNOWN", "A"]}
_EDGES = [2**power - less for power in (0, 6, 7, 13, 14, 20, 27, 31, 34, 48, 62) for less in (0, 1)]
LONGS = sorted({*_EDGES, *(-1 - edge for edge in _EDGES), 2**63 - 1, -(2**63)})

CASES: dict[str, tuple[Any, list[Any]]] = {
    "long": ("long", LONGS),
    "long without its logical type": ({"type": "long"}, LONGS),
    "boolean in braces": ({"type": "boolean"}, [True, False]),
    "null or double in braces": (["null", {"type": "double"}], [None, 1.0]),
    "int": ("int", [number for number in LONGS if -(2**31) <= number < 2**31]),
    "double": ("double", [0.0, -1.5, float("inf")]),
    "float": ("float", [0.0, 1.5]),
    "boolean": ("boolean", [True, False]),
    "string": ("string", ["", "a", "é", "🙂" * 16, "x" * 63, "x" * 64, "x" * 8191, "x" * 8192]),
    "bytes": ("bytes", [b"", b"\x00" * 64]),
    "fixed": ({"type": "fixed", "name": "F", "size": 32}, [bytes(32)]),
    "enum": (KIND, ["UNKNOWN", "A"]),
    "null or long": (["null", "long"], [None, 0, 2**40]),
    "string or null": (["string", "null"], [None, "", "ab"]),
    "null or double": (["null", "double"], [None, 1.0]),
    "null or fixed": (["null", {"type": "fixed", "name": "F", "size": 32}], [None, bytes(32)]),
    "strings": (NAMES, [[], [""], ["a", "é"], ["x"] * 63, ["x"] * 64, ["x"] * 200]),
    "null or strings": (["null", NAMES], [None, [], ["a"]]),
    "longs": ({"type": "array", "items": "long"}, [[], LONGS]),
    "doubles": ({"type": "array", "items": "double"}, [[], [1.0] * 64]),
    "record": (POINT, [{"x": 300, "label": ""}, {"x": 0, "label": "é"}]),
    "null or record": (["null", POINT], [None, {"x": 1, "label": "a"}]),
    "null or flat record": (["null", FLAT], [None, {"sum": bytes(32), "share": 0.0}]),
    "records": ({"type": "array", "items": POINT}, [[], [{"x": 64, "label": "a"}] * 3]),
    "flat records": (
        {"type": "array", "items": FLAT},
        [[], [{"sum": bytes(32), "share": 0.0}] * 2],
    ),
    "records with arrays": (
        {"type": "array", "items": SERIES},
        [[], [{"names": ["a", ""], "points": -65}, {"names": [], "points": 0}]],
    ),
    "arrays": ({"type": "array", "items": NAMES}, [[], [[], ["a"]]]),
}


def record_of(*kinds: Any) -> Any:
    fields = [{"name": f"field{number}", "type": kind} for number, kind in enumerate(kinds)]
    return fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})


def stretches_of(schema: Any, rows: list[dict[str, Any]]) -> list[list[int]]:
    """The sizes of each row's stretches."""
    frame = pl.DataFrame(rows, schema=columns_of(schema)).select(datum_layout(schema).stretches)
    assert set(frame.dtypes) == {pl.UInt32}
    return [list(row) for row in frame.rows()]


def written(schema: Any, row: dict[str, Any]) -> bytes:
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, schema, row)
    return datum.getvalue()


@pytest.mark.parametrize(("kind", "values"), CASES.values(), ids=CASES)
def test_size_is_that_of_the_written_datum(kind: Any, values: list[Any]) -> None:
    schema = record_of(kind)
    rows = [{"field0": value} for value in values]
    sizes = [sum(stretches) for stretches in stretches_of(schema, rows)]
    assert sizes == [len(written(schema, row)) for row in rows]


def test_stretches_end_before_the_bytes_of_choice() -> None:
    schema = record_of(
        "string", ["null", "long"], "boolean", KIND, NAMES, ["null", "double"], "long"
    )
    rows = [
        dict(zip([f"field{number}" for number in range(7)], values, strict=True))
        for values in [
            ("abc", 300, True, "UNKNOWN", ["abc"] * 70, 0.0, 2**40),
            ("", -65, True, "UNKNOWN", [], 0.0, 0),
        ]
    ]
    for row, stretches in zip(rows, stretches_of(schema, rows), strict=True):
        datum = written(schema, row)
        *places, end = accumulate(stretches)
        assert [datum[place] for place in places] == [2, 1, 2]
        assert end == len(datum)


def test_bytes_of_choice_never_set_the_bits_that_are_named() -> None:
    branch, boolean = datum_layout(record_of(["null", "long"], {"type": "boolean"})).never_set
    assert [byte for byte in range(256) if not byte & branch] == [0, 2]
    assert [byte for byte in range(256) if not byte & boolean] == [0, 1]


def test_rows_that_all_take_as_many_bytes_have_a_size_each() -> None:
    rows = [{"field0": 0.0, "field1": flag} for flag in (True, False, True)]
    assert stretches_of(record_of("double", "boolean"), rows) == [[8, 1]] * 3


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "map", "values": "long"},
        ["null", "long", "string"],
        "modeltrail.EventId",
        ["null", {"type": "enum", "name": "E", "symbols": ["A"]}],
        {"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["A"]}},
        ["null", "boolean"],
        {"type": "array", "items": "boolean"},
        {"type": "array", "items": ["null", "long"]},
        {**POINT, "fields": [{"name": "flag", "type": "boolean"}]},
        {**POINT, "fields": [{"name": "label", "type": ["null", "string"]}]},
        {"type": "array", "items": {**POINT, "fields": [{"name": "flag", "type": "boolean"}]}},
    ],
    ids=str,
)
def test_what_polars_does_not_read_or_reads_unseen_has_no_layout(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"use (another Avro type|null and one type)"):
        datum_layout({"fields": [{"name": "value", "type": kind}]})
