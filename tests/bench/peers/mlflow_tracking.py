"""Times MLflow's tracking with SQLite on this machine; runs in its own environment."""

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

BATCH_POINTS = 1_000


def main(calls: int, batches: int) -> None:
    """Print calls of log_metric a second and points of log_batch a second as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{Path(folder) / 'mlflow.db'}")
        client = MlflowClient()
        experiment = client.create_experiment("bench", artifact_location=folder)
        # The first call of each kind opens the database: it does not count.
        run_id = client.create_run(experiment).info.run_id
        client.log_metric(run_id, "loss", 1.0, step=0)
        client.log_batch(run_id, metrics=_points(0))
        started = time.perf_counter()
        for step in range(1, calls + 1):
            client.log_metric(run_id, "loss", 1.0 / step, step=step)
        calls_a_second = calls / (time.perf_counter() - started)
        prepared = [_points(step) for step in range(1, batches + 1)]
        started = time.perf_counter()
        for points in prepared:
            client.log_batch(run_id, metrics=points)
        points_a_second = batches * BATCH_POINTS / (time.perf_counter() - started)
    answer = {
        "log_metric": calls_a_second,
        "log_batch": points_a_second,
        "version": version("mlflow"),
    }
    print(json.dumps(answer))


def _points(step: int) -> list[Metric]:
    now_ms = int(time.time() * 1_000)
    return [
        Metric(f"m{each}", 1.0 / (step + each + 1), now_ms, step) for each in range(BATCH_POINTS)
    ]


main(int(sys.argv[1]), int(sys.argv[2]))
