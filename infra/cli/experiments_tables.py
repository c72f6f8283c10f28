"""Shows runs in a terminal: their details, the curves of their metrics, and a comparison."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modeltrail.infra.cli.experiments_data import best_of, duration_s
from modeltrail.infra.cli.rows import plain, write_table
from modeltrail.infra.cli.sparkline import sparkline
from modeltrail.producers.experiments.comparison import Comparison, ExperimentComparison
from modeltrail.sinks.queries.metric_history import Curve
from modeltrail.sinks.queries.runs import MetricSummary, RunRow

LIST_COLUMNS = ("run_id", "experiment_id", "status", "started_at", "duration_s", "metrics")


def list_row(
    run: RunRow, metrics: Mapping[str, float], now: datetime, *, as_json: bool = False
) -> tuple[Any, ...]:
    """One row of the list."""
    shown: Any = dict(metrics)
    if not as_json:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in metrics.items())
    took = round(duration_s(run, now), 1)
    return (run.run_id, run.experiment_id, run.status, run.started_at, took, shown)


def run_details(run: RunRow, metrics: Sequence[MetricSummary], now: datetime) -> dict[str, Any]:
    """Everything that is known of a run, as JSON has it."""
    fields = {name: getattr(run, name) for name in RunRow.__dataclass_fields__}
    return {
        **{name: plain(value) for name, value in fields.items()},
        "duration_s": duration_s(run, now),
        "metrics": {
            each.name: {
                **{name: plain(getattr(each, name)) for name in MetricSummary.__dataclass_fields__},
                "best": best_of(each).value,
                "best_step": best_of(each).step,
            }
            for each in metrics
        },
    }


def show_run(
    run: RunRow, metrics: Sequence[MetricSummary], curves: Mapping[str, Curve], now: datetime
) -> None:
    """Print a run: what it is, its metrics with their curves, and why it failed."""
    facts = {
        "run": run.run_id,
        "experiment": run.experiment_id,
        "status": run.status,
        "started": run.started_at,
        "duration_s": round(duration_s(run, now), 1),
        "parent": run.parent_run_id,
        "started by": run.started_by,
        "resumed": run.resumptions or None,
        **{f"tag {name}": value for name, value in run.tags.items()},
        **{f"param {name}": value for name, value in run.params.items()},
        "artifacts": ", ".join(run.artifacts),
        **_environment(run.environment_json),
    }
    write_table(
        ("what", "value"), [item for item in facts.items() if item[1] not in (None, "")], sys.stdout
    )
    if metrics:
        write_table(
            ("metric", "final", "best", "best_step", "points", "curve"),
            [_metric_row(each, curves.get(each.name)) for each in metrics],
            sys.stdout,
        )
    if run.detail:
        sys.stdout.write(_harmless(run.detail) + "\n")


def show_comparison(comparison: ExperimentComparison) -> None:
    """Print one row a run, then the means over repeated runs."""
    metrics = list(dict.fromkeys(name for run in comparison.values() for name in run.final_metrics))
    settings = list(comparison.config_differences)
    columns = ("run_id", "status", "duration_s", *settings, *_metric_columns(metrics))
    rows = [
        (
            run_id,
            run.status,
            round(run.duration_s, 1),
            *_settings(run, settings),
            *_cells(run, metrics),
        )
        for run_id, run in comparison.items()
    ]
    write_table(columns, rows, sys.stdout)
    means = [
        (group.name, len(group.run_ids), name, mean.mean, mean.low, mean.high)
        for group in comparison.repeats
        for name, mean in group.metrics.items()
    ]
    if means:
        sys.stdout.write("Repeated runs: mean and 95 % interval (Student's t) of final values\n")
        write_table(("group", "runs", "metric", "mean", "low", "high"), means, sys.stdout)


def comparison_json(comparison: ExperimentComparison) -> dict[str, Any]:
    """A comparison as JSON has it."""
    return {
        "runs": {
            run_id: {
                "experiment_id": run.experiment_id,
                "status": run.status,
                "duration_s": run.duration_s,
                "settings": plain(dict(run.settings)),
                "metrics": {
                    name: {"final": value, "best": best.value, "best_step": best.step}
                    for name, value in run.final_metrics.items()
                    for best in [run.best_metrics[name]]
                },
            }
            for run_id, run in comparison.items()
        },
        "config_differences": plain(dict(comparison.config_differences)),
        "repeats": [
            {
                "name": group.name,
                "run_ids": list(group.run_ids),
                "metrics": {
                    name: {
                        "count": mean.count,
                        "mean": mean.mean,
                        "low": mean.low,
                        "high": mean.high,
                    }
                    for name, mean in group.metrics.items()
                },
            }
            for group in comparison.repeats
        ],
    }


def _metric_row(metric: MetricSummary, curve: Curve | None) -> tuple[Any, ...]:
    best = best_of(metric)
    drawn = sparkline(curve.means) if curve else ""
    return (metric.name, metric.final, best.value, best.step, metric.points, drawn)


def _metric_columns(names: Sequence[str]) -> list[str]:
    return [column for name in names for column in (name, f"best {name} @ step")]


def _settings(run: Comparison, names: Sequence[str]) -> list[Any]:
    return [run.settings.get(name, "") for name in names]


def _cells(run: Comparison, names: Sequence[str]) -> list[Any]:
    cells: list[Any] = []
    for name in names:
        best = run.best_metrics.get(name)
        shown = None if best is None else f"{best.value:.6g} @ {_step(best.step)}"
        cells += [run.final_metrics.get(name), shown]
    return cells


def _step(step: int | None) -> str:
    return "end" if step is None else str(step)


def _environment(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text or "{}")
    git, packages = found.pop("git", {}), found.pop("packages", {})
    return {
        "commit": git.get("commit", "") + (" with changes" if git.get("dirty") else ""),
        **{name: found[name] for name in ("host", "platform", "python", "seed") if name in found},
        "gpus": ", ".join(str(gpu.get("name")) for gpu in found.get("gpus", [])),
        "packages": f"{len(packages)}, see --format json" if packages else "",
    }


def _harmless(text: str) -> str:
    # What a training job wrote must not move the cursor.
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)
