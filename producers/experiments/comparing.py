"""Compares runs: from what became of each to what can be said about all of them."""

import json
from collections.abc import Mapping, Sequence

from modeltrail.infra.clock import MICROS
from modeltrail.producers.experiments.comparison import (
    BestMetric,
    Comparison,
    ExperimentComparison,
)
from modeltrail.producers.experiments.fold import FinalMetric, MetricRange, RunHistory
from modeltrail.producers.experiments.repeats import repeated_runs
from modeltrail.schemas.ids import RunId
from modeltrail.schemas.metric_directions import HigherIsBetter, is_higher_better
from modeltrail.schemas.run_settings import configuration_differences

MISSED_HEARTBEATS = 3


def compare(
    runs: Mapping[str, Comparison], groups: Mapping[str, Sequence[str]] | None = None
) -> ExperimentComparison:
    """What can be said about `runs`; `groups` as in `repeated_runs`."""
    differences = configuration_differences({asked: run.settings for asked, run in runs.items()})
    return ExperimentComparison(runs, differences, repeated_runs(runs, differences, groups))


def comparison_of(
    run_id: RunId, run: RunHistory, now_us: int, higher_is_better: HigherIsBetter = None
) -> Comparison:
    """One run whose start is known, as of `now_us`."""
    assert run.experiment_id is not None
    assert run.started_at is not None
    status = status_of(run, now_us)
    until = run.ended_at or (run.last_seen_at if status == "lost" else now_us)
    return Comparison(
        run_id=run_id,
        experiment_id=run.experiment_id,
        config=json.loads(run.config_json),
        final_metrics={name: final.value for name, final in run.finals.items()},
        duration_s=max(0, until - run.started_at) / MICROS,
        status=status,
        best_metrics={
            name: _best(values, is_higher_better(name, higher_is_better))
            for name, values in run.ranges.items()
        },
        params=run.params,
        tags=run.tags,
        parent_run_id=run.parent_run_id,
    )


def status_of(run: RunHistory, now_us: int) -> str:
    """How a run ended, or whether it runs or is lost.

    `now_us` is compared with the log's times, never with those of the run's machine.
    """
    if run.status is not None:
        return run.status.lower()
    patience_us = MISSED_HEARTBEATS * run.heartbeat_s * MICROS
    return "lost" if 0 < patience_us < now_us - run.last_seen_at else "running"


def _best(values: MetricRange, higher: bool) -> BestMetric:
    best: FinalMetric = values.highest if higher else values.lowest
    return BestMetric(best.step, best.value, higher)
