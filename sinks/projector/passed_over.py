"""Leaves out, before anything is decoded, the facts that only stream processors need."""

from dataclasses import replace

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
    """The records without the facts of `topic` that have no table.

    Raises:
        SchemaRegistryUnavailable: a writer schema is not known yet.
    """
    kinds = {kind.record for kind in topic.facts if kind in PASSED_OVER}
    if not kinds:
        return records
    headers = {value[:HEADER_BYTES] for value in records.values if value is not None}
    dropped = {header for header in headers if _record_of(header, codec) in kinds}
    if not dropped:
        return records
    return _only(
        records,
        [
            position
            for position, value in enumerate(records.values)
            if value is None or value[:HEADER_BYTES] not in dropped
        ],
    )


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
