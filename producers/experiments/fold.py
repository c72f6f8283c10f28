"""Answers what became of a run: a fold over the facts of the experiments topic.

A final metric is the value logged without a step, else the value at the highest step. Steps may
come in any order; of two values for the same step, the one appended later counts. The lowest and
the highest value are those of all that were logged, at the first step that had them. Facts that are
sent again come as a repeated stretch of the log, which leaves the same values behind.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modeltrail.schemas.events import (
    ArtifactLogged,
    Fact,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunResumed,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import ExperimentId, Micros, RunId

_NOT_APPENDED = Micros(0)


@dataclass(frozen=True, slots=True)
class FinalMetric:
    """A value and the step it belongs to; None: logged as final."""

    step: int | None
    value: float

    def gives_way_to(self, step: int | None) -> bool:
        """Whether a later value of `step` counts instead."""
        if self.step is None or step is None:
            return step is None
        return step >= self.step

    def precedes(self, other: "FinalMetric") -> bool:
        """Whether its step is the earlier one; a final value comes last."""
        if self.step is None or other.step is None:
            return self.step is not None and other.step is None
        return self.step < other.step


@dataclass(frozen=True, slots=True)
class MetricRange:
    """The lowest and the highest of all values, each with the first step that had it."""

    lowest: FinalMetric
    highest: FinalMetric


@dataclass(frozen=True, slots=True)
class RunHistory:
    """One run as far as its facts are known; times are UTC, microseconds since 1970."""

    experiment_id: ExperimentId | None = None
    config_json: str = "{}"
    started_at: Micros | None = None
    ended_at: Micros | None = None
    status: RunStatus | None = None
    finals: Mapping[str, FinalMetric] = field(default_factory=dict)
    ranges: Mapping[str, MetricRange] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactLogged] = field(default_factory=dict)
    parent_run_id: RunId | None = None
    environment_json: str = ""
    detail: str = ""
    #: Seconds between heartbeats; 0: there are none.
    heartbeat_s: float = 0.0
    #: When the log appended its newest fact; 0: it has none.
    last_seen_at: int = 0


def fold(run: RunHistory, fact: Fact, appended_at: Micros = _NOT_APPENDED) -> RunHistory:
    """The run after `fact`; a second start or end changes nothing.

    Args:
        run: before.
        fact: the next of its partition.
        appended_at: when the log appended it, which is when the run was seen; 0: it has not yet.

    Raises:
        ValueError: the fact contradicts itself.
    """
    change = _CHANGES.get(type(fact))
    run = change(run, fact) if change else run
    # Not by the clock of the run, which is another machine's: whoever reads would call a run lost
    # that is behind, and one running that was ahead when it died.
    seen = max(run.last_seen_at, appended_at)
    return run if seen == run.last_seen_at else replace(run, last_seen_at=seen)


def _start(run: RunHistory, fact: RunStarted) -> RunHistory:
    if run.started_at is not None:
        return run
    # Whoever compares runs takes it for one.
    _object_of(fact.config_json)
    return replace(
        run,
        experiment_id=fact.experiment_id,
        config_json=fact.config_json,
        started_at=fact.occurred_at,
        parent_run_id=fact.parent_run_id,
        environment_json=fact.environment_json,
        heartbeat_s=fact.heartbeat_s,
    )


def _resume(run: RunHistory, fact: RunResumed) -> RunHistory:
    return replace(run, heartbeat_s=fact.heartbeat_s)


def _log_metrics(run: RunHistory, fact: MetricsLogged) -> RunHistory:
    finals, ranges = dict(run.finals), dict(run.ranges)
    for name, value in zip(fact.names, fact.values, strict=True):
        logged = FinalMetric(fact.step, value)
        if name not in finals or finals[name].gives_way_to(fact.step):
            finals[name] = logged
        ranges[name] = _widened(ranges.get(name), logged)
    return replace(run, finals=finals, ranges=ranges)


def _widened(known: MetricRange | None, logged: FinalMetric) -> MetricRange:
    if known is None:
        return MetricRange(logged, logged)
    low, high = known.lowest, known.highest
    if low.value < logged.value < high.value:
        return known
    if logged.value < low.value or (logged.value == low.value and logged.precedes(low)):
        low = logged
    if logged.value > high.value or (logged.value == high.value and logged.precedes(high)):
        high = logged
    return MetricRange(low, high)


def _log_params(run: RunHistory, fact: ParamsLogged) -> RunHistory:
    return replace(run, params={**run.params, **_object_of(fact.params_json)})


def _object_of(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"{text!r:.80} is no JSON object")
    return found


def _set_tag(run: RunHistory, fact: RunTagSet) -> RunHistory:
    tags = {name: value for name, value in run.tags.items() if name != fact.name}
    if fact.value is not None:
        tags[fact.name] = fact.value
    return replace(run, tags=tags)


def _log_artifact(run: RunHistory, fact: ArtifactLogged) -> RunHistory:
    return replace(run, artifacts={**run.artifacts, fact.name: fact})


def _end(run: RunHistory, fact: RunEnded) -> RunHistory:
    if run.ended_at is not None:
        return run
    return replace(run, ended_at=fact.occurred_at, status=fact.status, detail=fact.detail)


_CHANGES: Mapping[type[Fact], Callable[[RunHistory, Any], RunHistory]] = {
    RunStarted: _start,
    RunResumed: _resume,
    MetricsLogged: _log_metrics,
    ParamsLogged: _log_params,
    RunTagSet: _set_tag,
    ArtifactLogged: _log_artifact,
    RunEnded: _end,
}
