"""Makes the facts of a trial: sessions of either arm with a value each."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from modeltrail.processors.deployments.evidence import evidence_json
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.schemas.events import SessionsMeasured, SessionValue
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Version,
    derived_event_id,
)

DEPLOYMENT = EventId(b"deployment-of-1!")
METRICS = ("latency_ms",)


def session(
    number: int, arm: str, *means: float | None, at_us: int | None = None, name: str = ""
) -> SessionValue:
    """A session that counted in the microsecond of its number, unless told otherwise."""
    return SessionValue(
        session_id=SessionId(name or f"{arm}-{number}"),
        node_id=NodeId("gate-1"),
        arm=arm,
        version=Version("v2.0.0" if arm == "candidate" else "v1.0.0"),
        frames=20,
        last_captured_at=Micros(number if at_us is None else at_us),
        means=means,
    )


def measured(
    sessions: Iterable[SessionValue],
    *,
    begun: tuple[int, int] = (0, 0),
    partition: int = 0,
    through: int = 0,
    metrics: Sequence[str] = METRICS,
) -> SessionsMeasured:
    return SessionsMeasured(
        event_id=derived_event_id("measured", partition, through),
        occurred_at=Micros(0),
        deployment_id=DEPLOYMENT,
        model_id=ModelId("centerface"),
        step_number=5,
        inference_partition=partition,
        through_offset=through,
        metrics=tuple(metrics),
        champion_started=begun[0],
        candidate_started=begun[1],
        sessions=tuple(sessions),
    )


def both_arms(champion: Sequence[float], candidate: Sequence[float]) -> list[SessionValue]:
    """Sessions of both arms in turns, one metric."""
    values = [session(2 * n, "champion", value) for n, value in enumerate(champion)]
    values += [session(2 * n + 1, "candidate", value) for n, value in enumerate(candidate)]
    return sorted(values, key=lambda each: each.last_captured_at)


def values(mean: float, count: int, seed: int, sd: float = 1.0) -> list[float]:
    found: list[float] = np.random.default_rng(seed).normal(mean, sd, count).tolist()
    return found


def trial(
    champion: Sequence[float], candidate: Sequence[float], begun: tuple[int, int] | None = None
) -> TrialSummary:
    counts = begun or (len(champion), len(candidate))
    return TrialSummary().absorb(measured(both_arms(champion, candidate), begun=counts))


def evidence(summary: TrialSummary, held_s: float = 60.0) -> dict[str, Any]:
    written = evidence_json({"trial": summary.evidence(), "held_s": held_s})
    read: dict[str, Any] = json.loads(written)
    return read
