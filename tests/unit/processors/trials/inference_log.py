"""Writes the measurements of a trial, and reads them as fetches of one partition."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from modeltrail.processors.trials.cursor import Record
from modeltrail.processors.trials.partition import TrialPartition
from modeltrail.processors.trials.reading import Fetch
from modeltrail.processors.trials.trial import Trial
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    DeploymentStep,
    Fact,
    InferenceMeasured,
    SessionsMeasured,
    StepStarted,
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

CODEC = Codec(MemorySchemaIds())
SINCE_MS = 1_767_225_600_000
DEPLOYMENT = EventId(b"deployment-of-1!")
CHAMPION, CANDIDATE = Version("v1.0.0"), Version("v2.0.0")
STARTED = StepStarted(
    event_id=derived_event_id("started"),
    occurred_at=Micros(SINCE_MS * 1000),
    deployment_id=DEPLOYMENT,
    model_id=ModelId("centerface"),
    version=CANDIDATE,
    environment="production",
    step=DeploymentStep.AB_TEST,
    number=5,
    share=5000,
    deadline_at=Micros(SINCE_MS * 1000 + 3_600_000_000),
    baseline_version=CHAMPION,
    trial_metrics=("latency_ms", "blur"),
    frames_per_session=3,
)
TRIAL = Trial(
    DEPLOYMENT,
    5,
    STARTED.model_id,
    "production",
    CHAMPION,
    CANDIDATE,
    STARTED.trial_metrics,
    3,
    SINCE_MS,
)


def measured(session: str, frame: int, arm: str = "champion", **changes: Any) -> InferenceMeasured:
    fact = InferenceMeasured(
        event_id=derived_event_id("measured", session, frame, arm),
        captured_at=Micros(SINCE_MS * 1000 + frame),
        node_id=NodeId("gate-1"),
        session_id=SessionId(session),
        frame=frame,
        model_id=TRIAL.model_id,
        version=CANDIDATE if arm == "candidate" else CHAMPION,
        artifact_sha256=Sha256(b"\x77" * 32),
        execution_provider="CPUExecutionProvider",
        environment="production",
        arm=arm,
        sampling_rate=1.0,
        latency_ms=10.0 + frame,
    )
    return replace(fact, **changes)


def frames(session: str, count: int, arm: str = "champion", **changes: Any) -> list[Fact]:
    """The first frames of a session: latencies of 10, 11, … ms."""
    return [measured(session, frame, arm, **changes) for frame in range(count)]


def records(facts: Sequence[Fact | bytes | None], appended_ms: int = SINCE_MS) -> list[Record]:
    """Facts as records from offset 0 on, a millisecond apart."""
    return [
        Record(offset, appended_ms + offset, CODEC.encode(fact) if isinstance(fact, Fact) else fact)
        for offset, fact in enumerate(facts)
    ]


def fetch_of(part: Sequence[Record]) -> Fetch:
    return Fetch(
        np.array([record.offset for record in part], dtype=np.int64),
        np.array([record.appended_ms for record in part], dtype=np.int64),
        decode_batch([record.value for record in part], CODEC),
    )


def news_of(
    log: Sequence[Record], cuts: Sequence[int] = (), trial: Trial = TRIAL
) -> list[SessionsMeasured]:
    """What a trial tells of a log that is fetched, and asked for news, in parts."""
    partition = TrialPartition(trial, 0)
    news = []
    for first, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        if first < end:
            partition.absorb(fetch_of(log[first:end]))
            news += partition.news()
    return news
