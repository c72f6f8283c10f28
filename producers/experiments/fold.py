"""Answers what became of a run: a fold over the facts of the experiments topic.

A final metric is the value logged without a step, else the value at the highest step. Steps may
come in any order; of two values for the same step, the one appended later counts. Facts that are
sent again come as a repeated stretch of the log, which leaves the same values behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modeltrail.schemas.events import Fact, MetricsLogged, RunEnded, RunStarted, RunStatus
from modeltrail.schemas.ids import ExperimentId, Micros


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


@dataclass(frozen=True, slots=True)
class RunHistory:
    """One run as far as its facts are known; times are UTC, microseconds since 1970."""

    experiment_id: ExperimentId | None = None
    config_json: str = "{}"
    started_at: Micros | None = None
    ended_at: Micros | None = None
    status: RunStatus | None = None
    finals: Mapping[str, FinalMetric] = field(default_factory=dict)


def fold(run: RunHistory, fact: Fact) -> RunHistory:
    """The run after `fact`; a second start or end changes nothing."""
    if isinstance(fact, MetricsLogged):
        return replace(run, finals={**run.finals, **_newer(run.finals, fact)})
    if isinstance(fact, RunStarted) and run.started_at is None:
        return replace(
            run,
            experiment_id=fact.experiment_id,
            config_json=fact.config_json,
            started_at=fact.occurred_at,
        )
    if isinstance(fact, RunEnded) and run.ended_at is None:
        return replace(run, ended_at=fact.occurred_at, status=fact.status)
    return run


def _newer(finals: Mapping[str, FinalMetric], fact: MetricsLogged) -> dict[str, FinalMetric]:
    return {
        name: FinalMetric(fact.step, value)
        for name, value in zip(fact.names, fact.values, strict=True)
        if name not in finals or finals[name].gives_way_to(fact.step)
    }
