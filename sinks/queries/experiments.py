"""Compares runs by what ClickHouse knows of them: one query, whatever their number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clickhouse_driver import Client

from modeltrail.sinks.sql_files import in_database

_RUNS = """
SELECT run_id, experiment_id, status, config_json, started_at, ended_at
FROM {database}.experiments
WHERE run_id IN %(run_ids)s
"""
_METRICS = """
SELECT run_id, toString(name), final, minimum, maximum, points
FROM {database}.experiment_comparison
WHERE run_id IN %(run_ids)s
"""


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of one run; `final` as experiment_comparison defines it."""

    final: float
    minimum: float
    maximum: float
    points: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run beside others; `ended_at` is None while it runs. Times are UTC."""

    run_id: str
    experiment_id: str
    status: str
    config_json: str
    started_at: datetime
    ended_at: datetime | None
    metrics: Mapping[str, MetricSummary]


def compare_runs(client: Client, database: str, run_ids: Sequence[str]) -> list[RunSummary]:
    """The runs of `run_ids` that ClickHouse knows, in the order asked for.

    Args:
        client: of any account that may read `database`.
        database: where the projector writes.
        run_ids: which runs.

    Raises:
        InvalidIdentifier: `database` may not be part of SQL text.
    """
    if not run_ids:
        return []
    asked = {"run_ids": sorted(set(run_ids))}
    metrics: dict[str, dict[str, MetricSummary]] = {}
    for run_id, name, *summary in client.execute(in_database(_METRICS, database), asked):
        metrics.setdefault(run_id, {})[name] = MetricSummary(*summary)
    runs = {
        run_id: RunSummary(
            run_id, experiment_id, status, config_json, started, ended, metrics.get(run_id, {})
        )
        for run_id, experiment_id, status, config_json, started, ended in client.execute(
            in_database(_RUNS, database), asked
        )
    }
    return [runs[run_id] for run_id in dict.fromkeys(run_ids) if run_id in runs]
