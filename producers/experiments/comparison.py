"""Answers what a comparison of runs holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.intervals import MeanInterval
from modeltrail.schemas.run_settings import flattened


@dataclass(frozen=True, slots=True)
class BestMetric:
    """The best of all values that were logged, and the first step that had it; None: final."""

    step: int | None
    value: float
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run beside others.

    `duration_s` is up to now while it runs, and up to its last fact where it is lost. `status` is
    "running", "finished", "failed", "killed" or "lost": no fact for three of its heartbeats.
    """

    run_id: RunId
    experiment_id: ExperimentId
    config: Mapping[str, Any]
    final_metrics: Mapping[str, float]
    duration_s: float
    status: str
    best_metrics: Mapping[str, BestMetric] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parent_run_id: RunId | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """Configuration and parameters as one level: `{"optimizer": {"lr": 1}}` is optimizer.lr."""
        return flattened({**self.config, **self.params})


@dataclass(frozen=True, slots=True)
class RepeatedRuns:
    """Runs of one configuration, and per metric the mean of their final values."""

    name: str
    run_ids: tuple[str, ...]
    metrics: Mapping[str, MeanInterval]


@dataclass(frozen=True, eq=False)
class ExperimentComparison(Mapping[str, Comparison]):
    """Runs by the ids that were asked for, and what can be said about all of them.

    `config_differences` holds the settings that are not the same in all runs: by name (dots lead
    into nested ones), then by run; a run without the setting is left out.
    """

    runs: Mapping[str, Comparison]
    config_differences: Mapping[str, Mapping[str, Any]]
    repeats: Sequence[RepeatedRuns]

    def __getitem__(self, run_id: str) -> Comparison:
        return self.runs[run_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)
