"""Leaves out the facts that only stream processors need, but not what merely claims to be one.

Processors skip what they cannot read, so what is wrong with it has to be told here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from modeltrail.schemas.admission import Refusal
from modeltrail.schemas.batch import POSITION, Reject
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    Fact,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
    SessionsMeasured,
    TimeMarked,
    WindowsDecided,
)
from modeltrail.schemas.topics import Topic
from modeltrail.schemas.wire import HEADER_BYTES, schema_id_of
from modeltrail.sinks.projector.letters import refusal_of
from modeltrail.sinks.projector.records import Records

PASSED_OVER: frozenset[type[Fact]] = frozenset(
    {
        TimeMarked,
        PartialWindow,
        PartialWindows,
        RecentMeasured,
        RecentMeasurements,
        SessionsMeasured,
        WindowsDecided,
    }
)


def without_passed_over(records: Records, topic: Topic, codec: Codec) -> Records:
    """The records without the facts of `topic` that have no table; with those that are none.

    Raises:
        SchemaRegistryUnavailable: a writer schema is not known yet.
    """
    kinds = {kind.record for kind in topic.facts if kind in PASSED_OVER}
    if not kinds:
        return records
    headers = {value[:HEADER_BYTES] for value in records.values if value is not None}
    claimed = {header for header in headers if _record_of(header, codec) in kinds}
    if not claimed:
        return records
    return _only(
        records,
        [
            position
            for position, value in enumerate(records.values)
            if value is None
            or value[:HEADER_BYTES] not in claimed
            or _problem(value, codec) is not None
        ],
    )


def refused(
    frames: Mapping[str, pl.DataFrame], records: Records, codec: Codec
) -> Iterator[Refusal]:
    """Why facts that only processors need are none, though their bytes are those of one.

    Args:
        frames: what of such kinds was decoded after all, by record.
        records: what it was decoded from.
        codec: says what is wrong with it.
    """
    for frame in frames.values():
        for position in frame[POSITION]:
            value = records.values[position]
            if value is not None and (problem := _problem(value, codec)) is not None:
                yield refusal_of(Reject(position, problem))


def _problem(value: bytes, codec: Codec) -> DecodeError | None:
    try:
        codec.decode(value)
    except DecodeError as error:
        return error
    return None


def _record_of(header: bytes, codec: Codec) -> str | None:
    try:
        return codec.writer_of(schema_id_of(header)).record
    except DecodeError:
        return None


def _only(records: Records, positions: list[int]) -> Records:
    return replace(
        records,
        offsets=records.offsets[positions],
        appended_ms=records.appended_ms[positions],
        keys=[records.keys[position] for position in positions],
        values=[records.values[position] for position in positions],
    )
