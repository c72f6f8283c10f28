"""Measures a version, beside another where there is one: the evidence of a BenchmarkMeasured.

Times come from one process that runs both versions in turns, memory from one process for each.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modeltrail.infra.confined import Ending, Limits, run_confined
from modeltrail.infra.confined.usage import available_mb
from modeltrail.schemas.deployment_policy import PerformancePolicy, settings_json

_TIME = "modeltrail.producers.benchmarking.timing:time_versions"
_WEIGH = "modeltrail.producers.benchmarking.timing:weigh_version"
# They travel in one Kafka message of at most 1 MiB.
_MOST_SAMPLES = 60_000
_ANSWER_BYTES = 900_000
#: The rest is the node's own.
_SHARE_OF_MEMORY = 0.8
_SAID_SHOWN = 500


def measure(
    candidate: Path,
    baseline: Path | None,
    policy: PerformancePolicy,
    *,
    providers: Sequence[str] | None = None,
    threads: int = 1,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Time and weigh; JSON. What goes wrong is said under `failure`, beside what was measured.

    Times are milliseconds of one run of the whole model, inputs and outputs in the host's memory;
    throughput is items per second; memory is MiB, see `environment`.

    Args:
        candidate: model file.
        baseline: model file to compare with.
        policy: warm-up, runs, batch sizes and shapes; `deadline_s` bounds all of it together.
        providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
        threads: threads of one run; one gives the steadiest comparison. 0 is ONNX Runtime's choice.
        stop: ends it early.

    Raises:
        Interrupted: `stop` was set.
    """
    if (refusal := _too_much(policy, baseline)) is not None:
        return _evidence(refusal, None, {}, policy)
    request = {
        "settings": settings_json(policy),
        "providers": list(providers) if providers else None,
        "threads": threads,
    }
    files = {"candidate": candidate, "baseline": baseline}
    deadline = time.monotonic() + policy.deadline_s
    weights: dict[str, float] = {}
    for name, file in files.items():
        if file is None:
            continue
        asked = {**request, "candidate": str(file.absolute())}
        ending = run_confined(_WEIGH, asked, _limits(deadline), stop)
        if failure := _failure(ending, name, policy):
            return _evidence(failure, None, weights, policy)
        for each in ending.told:
            if isinstance(weight := each.get("peak_memory_mb"), float):
                weights[name] = weight
    asked = {
        **request,
        "candidate": str(candidate.absolute()),
        "baseline": str(baseline.absolute()) if baseline else "",
    }
    ending = run_confined(_TIME, asked, _limits(deadline), stop)
    return _evidence(_failure(ending, "the comparison", policy), ending, weights, policy)


def not_measured(failure: str, policy: PerformancePolicy) -> dict[str, Any]:
    """The evidence where there was nothing to measure."""
    return _evidence(failure, None, {}, policy)


def _too_much(policy: PerformancePolicy, baseline: Path | None) -> str | None:
    samples = policy.runs * len(policy.batch_sizes) * (1 if baseline is None else 2)
    if samples <= _MOST_SAMPLES:
        return None
    return (
        f"the policy asks for {samples:,} samples, {_MOST_SAMPLES:,} fit into a fact: "
        "lower performance.runs, or name fewer batch_sizes"
    )


def _limits(deadline: float) -> Limits:
    left_s = max(1.0, deadline - time.monotonic())
    return Limits(
        wall_s=left_s,
        cpu_s=left_s * (os.cpu_count() or 1),
        memory_mb=int(available_mb() * _SHARE_OF_MEMORY),
        answer_bytes=_ANSWER_BYTES,
    )


def _failure(ending: Ending, what: str, policy: PerformancePolicy) -> str:
    if ending.struck:
        return f"{what} met the limit {ending.struck}: {ending.failure or _bound(policy)}"
    if ending.failure:
        said = ending.said.strip()[-_SAID_SHOWN:]
        return f"{what}: {ending.failure}{'; it said: ' if said else ''}{said}"
    return ""


def _bound(policy: PerformancePolicy) -> str:
    return f"raise performance.deadline_s, which is {policy.deadline_s:g}, or lower runs"


def _evidence(
    failure: str,
    ending: Ending | None,
    weights: Mapping[str, float],
    policy: PerformancePolicy,
) -> dict[str, Any]:
    told = ending.told if ending else ()
    # A model may have taken the process over: what it tells need not be what was asked for.
    environment: Mapping[str, Any] = next(
        (found for each in told if isinstance(found := each.get("environment"), dict)), {}
    )
    isolation = list(ending.isolation) if ending else []
    return {
        "failure": failure,
        "batches": [each["batch"] for each in told if "batch" in each],
        "peak_memory_mb": {"candidate": None, "baseline": None, **weights},
        "warmup": policy.warmup,
        "environment": {"execution_provider": "", **environment, "isolation": isolation},
    }
