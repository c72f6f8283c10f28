"""Turns what could not be read into dead letters, and dead letters into rows.

Everything in a dead letter follows from the record and its place, so a replay sends the same one.
"""

from collections.abc import Sequence

import polars as pl

from modeltrail.schemas.admission import Refusal
from modeltrail.schemas.batch import POSITION, Reject
from modeltrail.schemas.errors import UnexpectedRecord, UnknownSchemaId
from modeltrail.schemas.events import DeadLetter, DeadLetterReason
from modeltrail.schemas.ids import EventId, Micros, derived_event_id
from modeltrail.sinks.errors import TooManyDeadLetters
from modeltrail.sinks.projector.origin import origin_columns, uuids
from modeltrail.sinks.projector.records import Records, TableRows, with_origin

TABLE = "dead_letter_rows"
CONSUMER = "projector"
LONGEST_VALUE = 256 * 1024
LONGEST_DETAIL = 1000
SMALLEST_JUDGED_BATCH = 100


def refusal_of(reject: Reject) -> Refusal:
    """Why a value did not decode, as a reason."""
    if isinstance(reject.error, UnknownSchemaId):
        reason = DeadLetterReason.UNKNOWN_SCHEMA_ID
    elif isinstance(reject.error, UnexpectedRecord):
        reason = DeadLetterReason.UNEXPECTED_RECORD
    else:
        reason = DeadLetterReason.UNDECODABLE
    return Refusal(reject.position, reason, str(reject.error))


def check_share(records: Records, fetched: int, refusals: Sequence[Refusal], limit: float) -> None:
    """Make sure that a batch of 100 records or more is mostly readable.

    Args:
        records: what is left of it, with all that is refused.
        fetched: how many records it had.
        refusals: what of it is refused.
        limit: the share of it that may be.

    Raises:
        TooManyDeadLetters: more than `limit` (a share, 0 to 1) of it is not.
    """
    if fetched < SMALLEST_JUDGED_BATCH or len(refusals) <= limit * fetched:
        return
    source, first = records.source, refusals[0]
    raise TooManyDeadLetters(
        f"{len(refusals)} of {fetched} records of topic {source.topic}, partition "
        f"{source.partition}, offsets {records.offsets[0]} to {records.offsets[-1]} cannot be "
        f"read (first: {first.reason} at offset {records.offsets[first.position]}: "
        f"{first.detail[:300]}): fix or roll back what writes them and start the projector again; "
        "to send them to the dead letters nevertheless, raise projector.dead_letter_limit"
    )


def letters(records: Records, refusals: Sequence[Refusal], topic: str) -> tuple[DeadLetter, ...]:
    """The dead letters of a batch, in offset order.

    Args:
        records: the batch.
        refusals: what of it is refused.
        topic: full name of its topic.
    """
    return tuple(
        _letter(records, refusal, topic)
        for refusal in sorted(refusals, key=lambda refusal: refusal.position)
    )


def project_dead_letters(frame: pl.DataFrame, records: Records) -> list[TableRows]:
    """Rows of `dead_letter_rows`."""
    frame = with_origin(frame, records, POSITION)
    columns = {
        "event_id": uuids(frame["event_id"]),
        "detail": frame["detail"].to_list(),
        "reason": frame["reason"].to_list(),
        "source_topic": frame["topic"].to_list(),
        "source_topic_id": frame["topic_id"].bin.encode("hex").to_list(),
        "source_partition": frame["partition"].to_list(),
        "source_offset": frame["offset"].to_list(),
        "source_appended_at": frame["appended_at"].to_list(),
        "consumer": frame["consumer"].to_list(),
        "key": frame["key"].to_list(),
        "value": frame["value"].to_list(),
        "value_size": frame["value_size"].to_list(),
        **origin_columns(frame, records.source),
    }
    return [TableRows(TABLE, "all", columns)] if frame.height else []


def _letter(records: Records, refusal: Refusal, topic: str) -> DeadLetter:
    source, at = records.source, refusal.position
    topic_id = EventId(bytes.fromhex(source.topic_id))
    offset = int(records.offsets[at])
    appended_at = Micros(int(records.appended_ms[at]) * 1000)
    key, value = records.keys[at], records.values[at]
    return DeadLetter(
        event_id=derived_event_id("DeadLetter", CONSUMER, topic_id, source.partition, offset),
        occurred_at=appended_at,
        topic=topic,
        topic_id=topic_id,
        partition=source.partition,
        offset=offset,
        appended_at=appended_at,
        consumer=CONSUMER,
        reason=refusal.reason,
        detail=refusal.detail[:LONGEST_DETAIL],
        key=None if key is None else key[:LONGEST_VALUE],
        value=None if value is None else value[:LONGEST_VALUE],
        value_size=0 if value is None else len(value),
    )
