"""Reads the datums of one writer schema as one Avro object container, or says that it cannot.

An Avro object-container block is a count, a size, the datums one after the other, and a sync
marker (Avro 1.12 specification, "Object Container Files"), so datums become a file by putting a
header in front. The reader trusts datum boundaries: a datum with stray bytes would shift its
neighbours silently. So the block ends with a sentinel datum, and after decoding the event_id of
every row must be the first sixteen bytes of its datum, and the fields of every row must take
exactly the bytes of its datum. No encoding is shorter than the canonical one that is counted, so
rows whose sizes are all right were each read from their own datum, whatever the bytes are.

Nor does the reader refuse all that is wrong. It takes any union index but 0 for 1, and any boolean
but 1 for false, so these bytes are looked up where they lie in the datums: after the fields before
them. And it cuts an int to 32 bits, so it is told that ints are longs. Unions and booleans inside
other types are not looked up: the record-by-record decoder reads those.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import fastavro
import numpy as np
import polars as pl

from modeltrail.schemas.avro_scalars import avro_long
from modeltrail.schemas.codec import Writer, reader_schema
from modeltrail.schemas.datum_steps import Places, Step, datum_steps
from modeltrail.schemas.ids import EVENT_ID_BYTES
from modeltrail.schemas.polars_types import blank_value, columns_of
from modeltrail.schemas.resolution import NotColumnwise, reader_columns

_SYNC = b"modeltrail-block"
_SENTINEL_ID = b"modeltrail-guard"
_TYPES_LIE_IN = ("fields", "type", "items")
Steps = tuple[tuple[str, Step], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How datums of one writer schema are read: what surrounds them, then what is asked of them.

    `columns` are made of what was read, unless that has the schema `final` and so is all it takes.
    """

    header: bytes
    sentinel: bytes
    steps: Steps
    columns: list[pl.Expr]
    final: pl.Schema | None


def read_container(writer: Writer, datums: Sequence[bytes]) -> pl.DataFrame | None:
    """The rows of `datums` in columns of the newest schema, in their order.

    Returns:
        None where the datums are not exactly one valid canonical datum each, or where the schemas
        do not resolve column by column: they must then be decoded one at a time.
    """
    plan = _plan_for(writer)
    if plan is None:
        return None
    body = b"".join((*datums, plan.sentinel))
    raw = _read(_container(plan, len(datums) + 1, body))
    if raw is None or raw.height != len(datums) + 1:
        return None
    ids = pl.Series([datum[:EVENT_ID_BYTES] for datum in (*datums, plan.sentinel)], dtype=pl.Binary)
    if not raw["event_id"].equals(ids, null_equal=False):
        return None
    rows = raw.head(len(datums))
    if not _rows_fit(body, np.fromiter(map(len, datums), np.int64), rows, plan.steps):
        return None
    if rows.schema == plan.final:
        return rows
    try:
        return rows.select(plan.columns)
    except pl.exceptions.InvalidOperationError:
        # An int, read as a long, needs more than 32 bits.
        return None


def _rows_fit(body: bytes, sizes: Places, rows: pl.DataFrame, steps: Steps) -> bool:
    """Whether each row takes exactly the bytes of its datum, with right unions and booleans."""
    octets = np.frombuffer(body, np.uint8)
    ends = sizes.cumsum()
    reached = ends - sizes
    for name, step in steps:
        following = step(octets, reached, rows[name])
        if following is None:
            return False
        reached = following
    return np.array_equal(reached, ends)


def _read(container: bytes) -> pl.DataFrame | None:
    try:
        return pl.read_avro(io.BytesIO(container))
    except Exception:
        return None
    except BaseException as panic:
        # A Rust panic is no Exception; anything else that is none must not be swallowed.
        if type(panic).__name__ != "PanicException":
            raise
        return None


def _container(plan: _Plan, count: int, body: bytes) -> bytes:
    return b"".join((plan.header, avro_long(count), avro_long(len(body)), body, _SYNC))


@cache
def _plan_for(made_by: Writer) -> _Plan | None:
    schema = json.loads(made_by.json_text)
    writer: Any = fastavro.parse_schema(schema)
    if writer["fields"][0]["name"] != "event_id":
        return None
    try:
        steps = datum_steps(writer)
        columns = reader_columns(writer, reader_schema(made_by.record))
    except (TypeError, NotColumnwise):
        return None
    head, datum = io.BytesIO(), io.BytesIO()
    bare = fastavro.parse_schema(_as_polars_reads_it(schema))
    fastavro.writer(head, bare, [], sync_marker=_SYNC)
    fastavro.schemaless_writer(datum, writer, {**blank_value(writer), "event_id": _SENTINEL_ID})
    final = pl.Schema(columns_of(writer)) if made_by.is_newest else None
    return _Plan(head.getvalue(), datum.getvalue(), steps, columns, final)


def _as_polars_reads_it(schema: Any) -> Any:
    """The same schema without defaults, as polars refuses the default "", and ints as longs."""
    if isinstance(schema, dict):
        return {
            name: _as_polars_reads_it(part) if name in _TYPES_LIE_IN else part
            for name, part in schema.items()
            if name != "default"
        }
    if isinstance(schema, list):
        return [_as_polars_reads_it(part) for part in schema]
    return "long" if schema == "int" else schema
