"""The steps over a decoded frame end where an Avro writer ended each field."""

import io
from typing import Any

import fastavro
import numpy as np
import polars as pl
import pytest

from modeltrail.schemas.datum_steps import Places, datum_steps
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


def places_of(schema: Any, rows: list[dict[str, Any]]) -> list[list[int]]:
    """Where each field ends, counted from the begin of the row's datum."""
    frame = pl.DataFrame(rows, schema=columns_of(schema))
    sizes = np.array([len(written(schema, row)) for row in rows])
    begins = sizes.cumsum() - sizes
    octets = np.frombuffer(b"".join(written(schema, row) for row in rows), np.uint8)
    reached: Places | None = begins
    found = []
    for name, step in datum_steps(schema):
        assert reached is not None
        reached = step(octets, reached, frame[name])
        assert reached is not None
        found.append((reached - begins).tolist())
    return [list(row) for row in zip(*found, strict=True)]


def written(schema: Any, row: dict[str, Any]) -> bytes:
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, schema, row)
    return datum.getvalue()


@pytest.mark.parametrize(("kind", "values"), CASES.values(), ids=CASES)
def test_a_step_ends_where_the_written_datum_does(kind: Any, values: list[Any]) -> None:
    schema = record_of(kind)
    rows = [{"field0": value} for value in values]
    assert places_of(schema, rows) == [[len(written(schema, row))] for row in rows]
    # What is alike in all rows is seen by another way.
    for row in rows:
        assert places_of(schema, [row] * 3) == [[len(written(schema, row))]] * 3


def test_a_step_begins_where_the_one_before_ends() -> None:
    kinds = ("string", ["null", "long"], "boolean", KIND, NAMES, ["null", "double"], "long")
    schema = record_of(*kinds)
    rows = [
        dict(zip([f"field{number}" for number in range(7)], values, strict=True))
        for values in [
            ("abc", 300, True, "UNKNOWN", ["abc"] * 70, 0.0, 2**40),
            ("", -65, True, "UNKNOWN", [], 0.0, 0),
            ("", None, False, "A", ["x" * 64], None, -1),
        ]
    ]
    expected = [
        [
            sum(
                len(written(record_of(kind), {"field0": row[f"field{place}"]}))
                for place, kind in enumerate(kinds[:number])
            )
            for number in range(1, 8)
        ]
        for row in rows
    ]
    assert places_of(schema, rows) == expected


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [(["null", "long"], None, {0, 2}), ("boolean", False, {0, 1})],
    ids=["union", "boolean"],
)
def test_a_byte_of_choice_is_refused_unless_it_names_a_choice(
    kind: Any, value: Any, right: set[int]
) -> None:
    ((name, step),) = datum_steps(record_of(kind))
    column = pl.DataFrame({name: [value]}, schema=columns_of(record_of(kind)))[name]
    begin = np.zeros(1, np.int64)
    for byte in range(256):
        reached = step(np.array([byte], np.uint8), begin, column)
        assert (reached is not None) == (byte in right)


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
def test_what_polars_does_not_read_or_reads_unseen_has_no_step(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"use (another Avro type|null and one type)"):
        datum_steps({"fields": [{"name": "value", "type": kind}]})
