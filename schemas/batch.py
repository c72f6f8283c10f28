"""Decodes whole Kafka fetches at once: datums of one schema are read as one Avro container.

An Avro object-container block is a count, a size, the datums one after the other, and a sync
marker (Avro 1.12 specification, "Object Container Files"), so the datums of a fetch become a file
by putting a header in front. The reader trusts datum boundaries: a datum with stray bytes would
shift its neighbours silently. So each block ends with a sentinel datum, and after decoding the
event_id of every row must be the sixteen bytes that follow its frame header. On any mismatch the
group is decoded again datum by datum, and the bad ones are set apart.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import fastavro
import polars as pl

from modeltrail.schemas.codec import Codec, Writer, decode_record, reader_schema
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.polars_types import blank_value, columns_of
from modeltrail.schemas.wire import HEADER_BYTES, schema_id_of

_ID_END = HEADER_BYTES + 16
_SYNC = b"modeltrail-block"
_SENTINEL_ID = b"modeltrail-guard"
POSITION = "position"


@dataclass(frozen=True, slots=True)
class Reject:
    """A value that is not a fact: its position in the batch and the error that says why."""

    position: int
    error: DecodeError


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """The facts of a batch by record, as columns plus `position`; and what was no fact."""

    frames: Mapping[str, pl.DataFrame]
    rejects: tuple[Reject, ...]


def decode_batch(values: Sequence[bytes | None], codec: Codec) -> DecodedBatch:
    """Decode a fetch of framed datums, in any mix of schemas.

    Args:
        values: the record values in fetch order; None (a tombstone) is rejected.
        codec: gives the writer schemas.

    Returns:
        One frame a record, rows in the order of `position` (UInt32), columns as in the newest
        schema: fixed as Binary, timestamps as Int64 microseconds; and the rejects by position.

    Raises:
        SchemaRegistryUnavailable: a writer schema is not known yet; nothing was decoded.
    """
    groups: dict[bytes, list[int]] = {}
    rejects: list[Reject] = []
    for position, value in enumerate(values):
        groups.setdefault(b"" if value is None else value[:HEADER_BYTES], []).append(position)
    frames: dict[str, list[pl.DataFrame]] = {}
    for header, positions in groups.items():
        try:
            writer = codec.writer_of(schema_id_of(header))
        except DecodeError as error:
            rejects += [Reject(position, error) for position in positions]
            continue
        datums = [values[position] for position in positions]
        frame, bad = _decode_group(writer, datums, positions)  # type: ignore[arg-type]
        frames.setdefault(writer.record, []).append(frame)
        rejects += bad
    return DecodedBatch(
        {record: _in_order(parts) for record, parts in frames.items()},
        tuple(sorted(rejects, key=lambda reject: reject.position)),
    )


def _in_order(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort(POSITION)


def _decode_group(
    writer: Writer, values: list[bytes], positions: list[int]
) -> tuple[pl.DataFrame, list[Reject]]:
    frame = _decode_as_container(writer, values)
    if frame is not None:
        return frame.with_columns(pl.Series(POSITION, positions, pl.UInt32)), []
    good: list[dict[str, Any]] = []
    kept: list[int] = []
    rejects: list[Reject] = []
    for position, value in zip(positions, values, strict=True):
        try:
            good.append(decode_record(writer, value))
        except DecodeError as error:
            rejects.append(Reject(position, error))
        else:
            kept.append(position)
    columns = columns_of(reader_schema(writer.record))
    rows = pl.DataFrame(good, schema={name: column.dtype for name, column in columns.items()})
    return rows.with_columns(pl.Series(POSITION, kept, pl.UInt32)), rejects


def _decode_as_container(writer: Writer, values: list[bytes]) -> pl.DataFrame | None:
    try:
        raw = pl.read_avro(io.BytesIO(_container(writer, values)))
    except Exception:
        return None
    except BaseException as panic:
        # A Rust panic is no Exception; anything else that is none must not be swallowed.
        if type(panic).__name__ != "PanicException":
            raise
        return None
    if raw.height != len(values) + 1 or raw.columns[0] != "event_id":
        return None
    expected = [value[HEADER_BYTES:_ID_END] for value in values]
    expected.append(_SENTINEL_ID)
    if not raw["event_id"].equals(pl.Series("event_id", expected, pl.Binary)):
        return None
    return _in_reader_columns(writer, raw.head(len(values)))


def _in_reader_columns(writer: Writer, raw: pl.DataFrame) -> pl.DataFrame:
    return raw.select(
        pl.col(name).cast(column.dtype)
        if name in raw.columns
        else pl.lit(column.default, dtype=column.dtype).alias(name)
        for name, column in columns_of(reader_schema(writer.record)).items()
    )


def _container(writer: Writer, values: list[bytes]) -> bytes:
    header, sentinel = _header_and_sentinel(writer.json_text)
    datums = [value[HEADER_BYTES:] for value in values]
    datums.append(sentinel)
    body = b"".join(datums)
    return b"".join((header, _long(len(datums)), _long(len(body)), body, _SYNC))


@cache
def _header_and_sentinel(schema_text: str) -> tuple[bytes, bytes]:
    schema = fastavro.parse_schema(json.loads(schema_text))
    head, datum = io.BytesIO(), io.BytesIO()
    fastavro.writer(head, schema, [], sync_marker=_SYNC)
    blank = {**blank_value(schema), "event_id": _SENTINEL_ID}
    fastavro.schemaless_writer(datum, schema, blank)
    return head.getvalue(), datum.getvalue()


def _long(number: int) -> bytes:
    """Avro's zig-zag variable-length encoding of a non-negative number."""
    number <<= 1
    out = bytearray()
    while number >= 0x80:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
