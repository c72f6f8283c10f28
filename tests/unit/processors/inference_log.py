"""Writes a partition of the inference topic, second by second, and folds it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from modeltrail.processors.windows.partition import PartitionFold
from modeltrail.processors.windows.reading import Batch
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    ANY_MODEL,
    Direction,
    Fact,
    GroundTruthObserved,
    InferenceMeasured,
    ModelRegistered,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
    TimeMarked,
)
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Sha256,
    Version,
    derived_event_id,
)
from tests.many_series import taken_apart

CODEC = Codec(MemorySchemaIds())
#: The log's second 0; a bucket begins here.
EPOCH_MS = 1_767_225_600_000
MODEL = ModelId("centerface")
VERSION = Version("v1.0.0")
PARTITION = 3
PARTITIONS = 2
F = TypeVar("F", bound=Fact)


@dataclass(frozen=True)
class Record:
    """A record and when the broker appended it."""

    appended_ms: int
    value: bytes | None


def ms(second: float) -> int:
    """The append time of a second of the log."""
    return EPOCH_MS + round(second * 1000)


def us(second: float) -> Micros:
    """A second of the log as microseconds."""
    return Micros(ms(second) * 1000)


def append(second: float, fact: Fact | bytes | None) -> Record:
    return Record(ms(second), CODEC.encode(fact) if isinstance(fact, Fact) else fact)


def measured(
    captured: float, appended: float | None = None, /, frame: Any = 0, **changes: Any
) -> Record:
    """A measurement, appended when it was captured unless told otherwise."""
    fact = InferenceMeasured(
        event_id=derived_event_id("measured", ms(captured), frame),
        captured_at=us(captured),
        node_id=NodeId("gate-1"),
        session_id=SessionId("morning"),
        frame=frame,
        model_id=MODEL,
        version=VERSION,
        artifact_sha256=Sha256(b"\x77" * 32),
        execution_provider="CPUExecutionProvider",
        environment="production",
        arm="champion",
        sampling_rate=1.0,
    )
    return append(captured if appended is None else appended, replace(fact, **changes))


def truth(second: float, frame: Any = 0, **values: float) -> Record:
    fact = GroundTruthObserved(
        event_id=derived_event_id("truth", ms(second), frame),
        occurred_at=us(second),
        node_id=NodeId("gate-1"),
        session_id=SessionId("morning"),
        frame=frame,
        model_id=MODEL,
        names=tuple(values),
        values=tuple(values.values()),
    )
    return append(second, fact)


def marked(second: float) -> Record:
    return append(second, TimeMarked(derived_event_id("mark", ms(second)), PARTITION))


def value_rule(metric: str, threshold: float, **changes: Any) -> ThresholdRule:
    rule = ThresholdRule(
        name=f"{metric}_rule",
        metric=metric,
        statistic=Statistic.VALUE,
        window="",
        direction=Direction.ABOVE,
        threshold=threshold,
        severity=Severity.WARNING,
    )
    return replace(rule, **changes)


def set_rules(second: float, *rules: ThresholdRule, model: str = ANY_MODEL) -> Appended:
    fact = ThresholdsSet(EventId(bytes(16)), us(second), ModelId(model), rules)
    return Appended(0, ms(second), ms(second), fact)


def declared(second: float, *names: str) -> Appended:
    fact = ModelRegistered(
        event_id=EventId(bytes(16)),
        occurred_at=us(second),
        request_id=EventId(bytes(16)),
        model_id=MODEL,
        version=VERSION,
        artifact_uri="file:///model.onnx",
        artifact_sha256=Sha256(bytes(32)),
        artifact_size=1,
        metadata_json="{}",
        declared_metrics=names,
    )
    return Appended(0, 0, ms(second), fact)


def new_fold(
    *control: Appended, rate: float = 0.0, capacity: int = 1000, from_beginning: bool = True
) -> PartitionFold:
    fold = PartitionFold(PARTITION, PARTITIONS, rate, capacity, from_beginning=from_beginning)
    for record in control:
        fold.absorb_control(record)
    return fold


def fetch(records: Sequence[Record], first_offset: int = 0) -> Batch:
    return Batch(
        np.arange(first_offset, first_offset + len(records), dtype=np.int64),
        np.array([record.appended_ms for record in records], dtype=np.int64),
        decode_batch([record.value for record in records], CODEC),
    )


def absorb(fold: PartitionFold, records: Sequence[Record], first_offset: int = 0) -> list[Fact]:
    """Hand `records` over as one fetch."""
    return list(fold.absorb(fetch(records, first_offset)))


def folded(records: Sequence[Record], *control: Appended, **settings: Any) -> list[Fact]:
    """All that follows from a log that is read at once."""
    return absorb(new_fold(*control, **settings), records)


def only(kind: type[F], facts: Iterable[Fact]) -> list[F]:
    """Those of a kind; what was told of many series in one fact is told of each."""
    return [fact for fact in taken_apart(facts) if isinstance(fact, kind)]
