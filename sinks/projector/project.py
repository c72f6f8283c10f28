"""Decides what the records of one partition become: rows of tables, or dead letters."""

import logging

import polars as pl

from modeltrail.schemas import topics
from modeltrail.schemas.admission import DeclaredSince, Refusal
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import DeadLetterReason, InferenceMeasured, MeasurementSampled
from modeltrail.schemas.topics import TOPICS, Topic
from modeltrail.sinks.projector.control_events import project_control_events
from modeltrail.sinks.projector.letters import (
    check_share,
    letters,
    project_dead_letters,
    refusal_of,
)
from modeltrail.sinks.projector.measurements import project_measurements
from modeltrail.sinks.projector.passed_over import PASSED_OVER, refused, without_passed_over
from modeltrail.sinks.projector.records import Projected, Records, TableRows
from modeltrail.sinks.projector.samples import project_samples
from modeltrail.sinks.projector.window_facts import PROJECTIONS, project_window_facts

TOPIC_OF = {topic.name: topic for topic in TOPICS}
_log = logging.getLogger(__name__)


def project(
    records: Records,
    codec: Codec,
    declared_since: DeclaredSince,
    *,
    topic_prefix: str,
    dead_letter_limit: float,
) -> Projected:
    """Decode and check a batch of one partition and turn it into rows and dead letters.

    Args:
        records: the batch; the same batch always becomes the same.
        codec: gives writer schemas.
        declared_since: when extra metric names were declared.
        topic_prefix: what topic names start with in Kafka.
        dead_letter_limit: share of a batch of 100 or more that may be refused.

    Raises:
        TooManyDeadLetters: more than that is.
        SchemaRegistryUnavailable: a writer schema is not known yet; nothing was decided.
        Unavailable: the registry topic could not be read; nothing was decided.
    """
    topic = TOPIC_OF[records.source.topic]
    fetched = len(records)
    records = without_passed_over(records, topic, codec)
    decoded = decode_batch(records.values, codec)
    expected = {kind.record for kind in topic.facts}
    refusals = [refusal_of(reject) for reject in decoded.rejects]
    refusals += [
        Refusal(
            position,
            DeadLetterReason.UNEXPECTED_RECORD,
            f"record {record} does not belong on topic {topic.name}: find who wrote it there",
        )
        for record, frame in decoded.frames.items()
        if record not in expected
        for position in frame["position"]
    ]
    frames = {record: frame for record, frame in decoded.frames.items() if record in expected}
    passed_over = {
        kind.record: frames.pop(kind.record) for kind in PASSED_OVER if kind.record in frames
    }
    refusals += refused(passed_over, records, codec)
    if topic is topics.DEAD_LETTERS:
        rows = [row for frame in frames.values() for row in project_dead_letters(frame, records)]
        return _without_letters(records, rows, refusals)
    rows, bad = _project_facts(frames, records, declared_since)
    refusals += bad
    check_share(records, fetched, refusals, dead_letter_limit)
    full_name = topic.full_name(topic_prefix)
    return Projected(tuple(rows), letters(records, refusals, full_name), len(refusals))


def full_names(prefix: str) -> dict[str, Topic]:
    """Each topic by its name in Kafka."""
    return {topic.full_name(prefix): topic for topic in TOPICS}


def _project_facts(
    frames: dict[str, pl.DataFrame], records: Records, declared_since: DeclaredSince
) -> tuple[list[TableRows], list[Refusal]]:
    rows: list[TableRows] = []
    refusals: list[Refusal] = []
    if (measured := frames.pop(InferenceMeasured.record, None)) is not None:
        found, bad = project_measurements(measured, records, declared_since)
        rows, refusals = rows + found, refusals + bad
    if (sampled := frames.pop(MeasurementSampled.record, None)) is not None:
        found, bad = project_samples(sampled, records)
        rows, refusals = rows + found, refusals + bad
    about_windows = {record: frames.pop(record) for record in PROJECTIONS if record in frames}
    found, bad = project_window_facts(about_windows, records)
    rows, refusals = rows + found, refusals + bad
    logged, bad = project_control_events(frames, records)
    return rows + logged, refusals + bad


def _without_letters(records: Records, rows: list[TableRows], refusals: list[Refusal]) -> Projected:
    # A dead letter about a dead letter would come back here for ever.
    for refusal in refusals:
        _log.error(
            "dead letter at partition %d, offset %d cannot be read and is skipped: %s",
            records.source.partition,
            records.offsets[refusal.position],
            refusal.detail,
        )
    return Projected(tuple(rows), (), len(refusals))
