"""Decodes whole Kafka fetches at once: one Avro container a schema, datum by datum where it must.

The container is the fast way and holds only datums that are right. Where one of a group is not,
the group is halved until few are left, which are decoded one at a time, and the bad ones are set
apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from modeltrail.schemas.codec import Codec, Writer, decode_record, reader_schema
from modeltrail.schemas.container import read_container
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.polars_types import columns_of
from modeltrail.schemas.wire import HEADER_BYTES, schema_id_of

POSITION = "position"
_FEW = 32


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
    frame = read_container(writer, [value[HEADER_BYTES:] for value in values])
    if frame is not None:
        return frame.with_columns(pl.Series(POSITION, positions, pl.UInt32)), []
    if len(values) <= _FEW:
        return _decode_one_by_one(writer, values, positions)
    # Halves, so that one bad datum among thousands does not make them all take the slow way.
    middle = len(values) // 2
    left, left_rejects = _decode_group(writer, values[:middle], positions[:middle])
    right, right_rejects = _decode_group(writer, values[middle:], positions[middle:])
    return left.vstack(right), left_rejects + right_rejects


def _decode_one_by_one(
    writer: Writer, values: list[bytes], positions: list[int]
) -> tuple[pl.DataFrame, list[Reject]]:
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
    rows = pl.DataFrame(good, schema=columns_of(reader_schema(writer.record)))
    return rows.with_columns(pl.Series(POSITION, kept, pl.UInt32)), rejects
