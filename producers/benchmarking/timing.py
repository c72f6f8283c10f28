"""What the confined processes of a benchmark do: time two versions in turns, or weigh one.

Each is given model files, settings and threads; see `measuring` for the request.
"""

import gc
import os
import platform
import random
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from modeltrail.infra.confined.child import Tell
from modeltrail.infra.confined.usage import memory_of, restart_peak
from modeltrail.producers.benchmarking.feeds import SEED, Feeds, feeds_of, items_of
from modeltrail.producers.monitoring.runtime import open_session
from modeltrail.schemas.deployment_policy import PerformancePolicy, performance_settings

_ERRORS_ONLY = 3
_RUNS_WEIGHED = 3
_MS_DIGITS = 4


def time_versions(request: Mapping[str, Any], tell: Tell) -> None:
    """Time the candidate, and the baseline in turns with it; tell the environment, then batches."""
    policy = performance_settings(request["settings"])
    candidate = _session(request["candidate"], request)
    baseline = _session(request["baseline"], request) if request["baseline"] else None
    tell({"environment": _environment(candidate, baseline, request["threads"])})
    for batch_size in policy.batch_sizes:
        tell({"batch": _batch(candidate, baseline, batch_size, policy)})


def weigh_version(request: Mapping[str, Any], tell: Tell) -> None:
    """Tell how much the resident memory grows at its peak while one version is loaded and run."""
    policy = performance_settings(request["settings"])
    # What the runtime itself takes at its first use is not the version's.
    onnxruntime.get_available_providers()
    gc.collect()
    restart_peak()
    before = memory_of().resident_mb
    session = _session(request["candidate"], request)
    for batch_size in policy.batch_sizes:
        feeds = feeds_of(session, policy.shapes, batch_size)
        for _ in range(_RUNS_WEIGHED):
            session.run(None, feeds)
    tell({"peak_memory_mb": round(memory_of().peak_mb - before, 3)})


def _session(file: str, request: Mapping[str, Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return open_session(Path(file).read_bytes(), request["providers"], options)


def _batch(
    candidate: Any, baseline: Any, batch_size: int, policy: PerformancePolicy
) -> dict[str, Any]:
    sides = (
        {"candidate": candidate}
        if baseline is None
        else {
            "candidate": candidate,
            "baseline": baseline,
        }
    )
    feeds = {name: feeds_of(each, policy.shapes, batch_size) for name, each in sides.items()}
    for name, session in sides.items():
        for _ in range(policy.warmup):
            session.run(None, feeds[name])
    taken = _turns(sides, feeds, policy.runs)
    throughput = {
        name: round(
            items_of(feeds[name], sides[name], batch_size) * len(each) * 1000 / sum(each), 3
        )
        for name, each in taken.items()
    }
    shapes = {
        name: {each: list(array.shape) for each, array in arrays.items()}
        for name, arrays in feeds.items()
    }
    return {
        "batch_size": batch_size,
        "shapes": shapes["candidate"],
        "baseline_shapes": shapes.get("baseline", {}),
        "candidate_ms": taken["candidate"],
        "baseline_ms": taken.get("baseline", []),
        "throughput_per_s": {"baseline": None, **throughput},
        "seed": SEED,
    }


def _turns(
    sides: Mapping[str, Any], feeds: Mapping[str, Feeds], runs: int
) -> dict[str, list[float]]:
    """Milliseconds of every run; both versions once in each turn, in an order left to chance.

    Whatever slows the machine down for a while so meets both alike.
    """
    order = random.Random(SEED)  # noqa: S311 (it decides who goes first, and must be the same again)
    taken: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    gc.collect()
    gc.disable()
    try:
        for _ in range(runs):
            order.shuffle(names)
            for name in names:
                session, arrays = sides[name], feeds[name]
                started = time.perf_counter_ns()
                session.run(None, arrays)
                ended = time.perf_counter_ns()
                taken[name].append(round((ended - started) / 1e6, _MS_DIGITS))
    finally:
        gc.enable()
    return taken


def _environment(candidate: Any, baseline: Any, threads: int) -> dict[str, Any]:
    return {
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count() or 0,
        "threads": threads,
        "execution_provider": candidate.get_providers()[0],
        "baseline_execution_provider": baseline.get_providers()[0] if baseline else None,
        "memory": "growth of the resident memory at its peak; each version alone in a process; "
        "that of a GPU is not counted",
    }
