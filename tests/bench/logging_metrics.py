"""Measures how fast one client logs metrics, to the last acknowledgement of Kafka, beside MLflow.

A point is one value of one metric at one step. MLflow's `log_metric` logs one; a `log_batch` of its
largest size logs 1,000, of as many metrics; ours logs the same 1,000 in one `log_metrics`, and, as
a run with ten metrics would, in 100 calls.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.producers.experiments.tracker import ExperimentTracker
from tests.bench.peers.environment import ask_peer
from tests.bench.report import Report

CALLS = 200_000
BATCHES = 2_000
POINTS = 1_000
FEW = 10
SMALL_CALLS = 100_000
PEER_CALLS = 500
PEER_BATCHES = 40
_SAMPLED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Logged:
    """Calls a second up to the last acknowledgement, and microseconds of some calls."""

    calls_a_second: float
    enqueue_us: list[float]


def add_metric_logging(settings: Settings, report: Report) -> None:
    """Measure both and add the results."""
    peer = ask_peer(
        "mlflow",
        Path(__file__).parent / "peers" / "mlflow_tracking.py",
        *(str(PEER_CALLS), str(PEER_BATCHES)),
    )
    calls = _logged(settings, {"loss": 0.5}, CALLS)
    batches = _logged(settings, {f"m{each}": 1.0 / (each + 1) for each in range(POINTS)}, BATCHES)
    small = _logged(settings, {f"m{each}": 1.0 / (each + 1) for each in range(FEW)}, SMALL_CALLS)
    report.add("mlflow_log_metric", peer["log_metric"], "calls/s")
    report.add("mlflow_log_batch", peer["log_batch"], "points/s")
    report.add(
        "log_metrics_calls", calls.calls_a_second, "calls/s", mlflow_log_metric=peer["log_metric"]
    )
    report.add(
        "log_metrics_points",
        batches.calls_a_second * POINTS,
        "points/s",
        mlflow_log_batch=peer["log_batch"],
    )
    report.add(
        "log_metrics_points_by_10",
        small.calls_a_second * FEW,
        "points/s",
        mlflow_log_batch=peer["log_batch"],
    )
    quantiles = statistics.quantiles(calls.enqueue_us, n=100)
    report.add("log_metrics_enqueue_p50", quantiles[49], "us")
    report.add("log_metrics_enqueue_p99", quantiles[98], "us")


def _logged(settings: Settings, metrics: Mapping[str, float], calls: int) -> Logged:
    """Log `metrics` at `calls` steps of one run; the run itself is acknowledged before."""
    enqueue_us = []
    with ExperimentTracker(settings) as tracker:
        run_id = tracker.start_experiment("bench", capture=False)
        tracker.log_metrics(run_id, metrics, step=0)
        assert tracker.flush()
        started = time.perf_counter()
        for step in range(1, calls + 1):
            if step % _SAMPLED_EVERY:
                tracker.log_metrics(run_id, metrics, step=step)
            else:
                before = time.perf_counter_ns()
                tracker.log_metrics(run_id, metrics, step=step)
                enqueue_us.append((time.perf_counter_ns() - before) / 1_000)
        while not tracker.flush():
            pass
        passed = time.perf_counter() - started
        tracker.end_experiment(run_id)
    return Logged(calls / passed, enqueue_us)
