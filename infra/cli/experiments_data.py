"""Reads runs and their metrics from ClickHouse, as the comparison of runs takes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clickhouse_driver import Client

from modeltrail.infra.errors import ConfigError
from modeltrail.producers.errors import UnknownRun
from modeltrail.producers.experiments.comparison import BestMetric, Comparison
from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.metric_directions import HigherIsBetter, is_higher_better
from modeltrail.sinks.queries.runs import (
    MetricSummary,
    RunRow,
    runs_by_id,
    search_runs,
    summaries,
)


def chosen_runs(
    client: Client, run_ids: Sequence[str], experiment_id: str, most: int
) -> list[RunRow]:
    """The runs of these ids, and the newest of an experiment, each once.

    Raises:
        UnknownRun: one of the ids, or the experiment, is of no run that is known to ClickHouse.
        ConfigError: neither was given.
    """
    if not run_ids and not experiment_id:
        raise ConfigError("no runs: give their ids, or an experiment with --experiment")
    rows = {row.run_id: row for row in runs_by_id(client, run_ids)}
    if missing := [run_id for run_id in run_ids if run_id not in rows]:
        raise UnknownRun(
            f"no run {missing[0][:80]!r}: `modeltrail experiments list` shows the runs; a new one "
            "is there once the projector has it"
        )
    if experiment_id:
        newest = search_runs(client, experiment_id=experiment_id, limit=most)
        if not newest:
            raise UnknownRun(
                f"no run of experiment {experiment_id[:80]!r}: `modeltrail experiments list` "
                "shows the runs"
            )
        rows.update({row.run_id: row for row in newest})
    return list(rows.values())


def comparisons(
    client: Client, rows: Sequence[RunRow], now: datetime, higher_is_better: HigherIsBetter = None
) -> dict[str, Comparison]:
    """Runs with their metrics, by id."""
    metrics = summaries(client, [row.run_id for row in rows])
    return {
        row.run_id: _comparison(row, metrics.get(row.run_id, []), now, higher_is_better)
        for row in rows
    }


def duration_s(run: RunRow, now: datetime) -> float:
    """How long a run took, takes up to `now`, or took until it was lost."""
    until = run.ended_at or (run.last_seen_at if run.status == "LOST" else now)
    return max(0.0, (_utc(until) - _utc(run.started_at)).total_seconds())


def settings_of(run: RunRow) -> dict[str, Any]:
    """Configuration and parameters on one level."""
    return {name: _value(text) for name, text in run.params.items()}


def _comparison(
    run: RunRow, metrics: Sequence[MetricSummary], now: datetime, higher: HigherIsBetter
) -> Comparison:
    return Comparison(
        run_id=RunId(run.run_id),
        experiment_id=ExperimentId(run.experiment_id),
        config=settings_of(run),
        final_metrics={each.name: each.final for each in metrics},
        duration_s=duration_s(run, now),
        status=run.status.lower(),
        best_metrics={each.name: best_of(each, higher) for each in metrics},
        tags=run.tags,
        parent_run_id=None if run.parent_run_id is None else RunId(run.parent_run_id),
    )


def best_of(metric: MetricSummary, higher_is_better: HigherIsBetter = None) -> BestMetric:
    """The best value of a metric and the first step that had it."""
    if is_higher_better(metric.name, higher_is_better):
        return BestMetric(metric.max_step, metric.maximum, higher_is_better=True)
    return BestMetric(metric.min_step, metric.minimum, higher_is_better=False)


def directions(higher: Sequence[str], lower: Sequence[str]) -> Mapping[str, bool]:
    """What `--higher` and `--lower` say of metrics."""
    return {**dict.fromkeys(higher, True), **dict.fromkeys(lower, False)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
