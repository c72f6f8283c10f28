"""The size counted from columns is the size that an Avro writer gave each datum."""

import io
from typing import Any

import fastavro
import polars as pl
import pytest

from modeltrail.schemas.datum_size import datum_size
from modeltrail.schemas.polars_types import columns_of

NAMES = {"type": "array", "items": "string"}
POINT = {
    "type": "record",
    "name": "Point",
    "fields": [{"name": "x", "type": "long"}, {"name": "label", "type": ["null", "string"]}],
}
SERIES = {
    "type": "record",
    "name": "Series",
    "fields": [{"name": "names", "type": NAMES}, {"name": "points", "type": "long"}],
}
_EDGES = [2**power - less for power in (0, 6, 7, 13, 14, 20, 27, 31, 34, 48, 62) for less in (0, 1)]
LONGS = sorted({*_EDGES, *(-1 - edge for edge in _EDGES), 2**63 - 1, -(2**63)})

CASES: dict[str, tuple[Any, list[Any]]] = {
    "long": ("long", LONGS),
    "int": ("int", [number for number in LONGS if -(2**31) <= number < 2**31]),
    "double": ("double", [0.0, -1.5, float("inf")]),
    "float": ("float", [0.0, 1.5]),
    "boolean": ("boolean", [True, False]),
    "string": ("string", ["", "a", "é", "🙂" * 16, "x" * 63, "x" * 64, "x" * 8192]),
    "bytes": ("bytes", [b"", b"\x00" * 64]),
    "fixed": ({"type": "fixed", "name": "F", "size": 32}, [bytes(32)]),
    "enum": ({"type": "enum", "name": "E", "symbols": ["UNKNOWN", "A"]}, ["UNKNOWN", "A"]),
    "null or long": (["null", "long"], [None, 0, 2**40]),
    "string or null": (["string", "null"], [None, "", "ab"]),
    "null or double": (["null", "double"], [None, 1.0]),
    "strings": (NAMES, [[], [""], ["a", "é"], ["x"] * 200]),
    "null or strings": (["null", NAMES], [None, [], ["a"]]),
    "longs": ({"type": "array", "items": "long"}, [[], LONGS]),
    "doubles": ({"type": "array", "items": "double"}, [[], [1.0] * 64]),
    "nulls and longs": ({"type": "array", "items": ["null", "long"]}, [[None, 300], []]),
    "record": (POINT, [{"x": 300, "label": None}, {"x": 0, "label": "é"}]),
    "null or record": (["null", POINT], [None, {"x": 1, "label": "a"}]),
    "records": ({"type": "array", "items": POINT}, [[], [{"x": 64, "label": "a"}] * 3]),
    "records with arrays": (
        {"type": "array", "items": SERIES},
        [[], [{"names": ["a", ""], "points": -65}, {"names": [], "points": 0}]],
    ),
    "arrays": ({"type": "array", "items": NAMES}, [[], [[], ["a"]]]),
}


@pytest.mark.parametrize(("kind", "values"), CASES.values(), ids=CASES)
def test_size_is_that_of_the_written_datum(kind: Any, values: list[Any]) -> None:
    schema: Any = fastavro.parse_schema(
        {"type": "record", "name": "R", "fields": [{"name": "value", "type": kind}]}
    )
    rows = pl.DataFrame([{"value": value} for value in values], schema=columns_of(schema))
    written = []
    for value in values:
        datum = io.BytesIO()
        fastavro.schemaless_writer(datum, schema, {"value": value})
        written.append(len(datum.getvalue()))
    assert rows.select(datum_size(schema)).to_series().to_list() == written


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "map", "values": "long"},
        ["null", "long", "string"],
        "modeltrail.EventId",
        ["null", {"type": "enum", "name": "E", "symbols": ["A"]}],
        {"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["A"]}},
    ],
)
def test_what_polars_does_not_read_has_no_size(kind: Any) -> None:
    with pytest.raises(TypeError, match="polars reads no"):
        datum_size({"fields": [{"name": "value", "type": kind}]})
