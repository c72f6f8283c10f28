"""Judges what a version costs beside the one in production: ratios with intervals, not points.

The interval is that of a paired percentile bootstrap: candidate and baseline ran in turns, so a
pair shares what the machine was doing, and pairs are drawn together. Source: Efron and Tibshirani,
An Introduction to the Bootstrap (1993), chapters 8 and 13.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.deployments.evidence import (
    EvidenceUnreadable,
    numbers_in,
    objects_in,
    optional_number,
)
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import FEWEST_RUNS, DeploymentPolicy, PerformancePolicy
from modeltrail.schemas.events import StepVerdict

_RESAMPLES = 2000
#: Numbers held at once while resampling.
_AT_ONCE = 1_000_000
_QUANTILE = {"P50": 0.5, "P95": 0.95, "P99": 0.99}
_MORE = ": ask for more runs (performance.runs) to decide"
_WORST_FIRST = (StepVerdict.FAILED, StepVerdict.INCONCLUSIVE, StepVerdict.PASSED)

Floats = npt.NDArray[np.float64]
Finding = tuple[StepVerdict, str]


def judge_performance(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """PASSED where each limit is above its interval, FAILED where one is below, or INCONCLUSIVE.

    Without a baseline only `max_latency_ms` is judged.

    Raises:
        EvidenceUnreadable: the evidence is not of a benchmark.
    """
    if failure := evidence.get("failure"):
        return Judgement(StepVerdict.FAILED, f"the benchmark failed: {failure}"[:1000], {})
    batches = objects_in(evidence, "batches")
    if not batches:
        raise EvidenceUnreadable("the evidence has no batch: nothing was measured")
    seed = str(evidence.get("deployment_id", ""))
    findings: list[Finding] = []
    judged = []
    for batch in batches:
        found, numbers = _judge_batch(batch, policy.performance, seed)
        findings += found
        judged.append(numbers)
    findings += _memory(evidence, policy.performance)
    worst = min(
        (verdict for verdict, _ in findings), key=_WORST_FIRST.index, default=StepVerdict.PASSED
    )
    told = [text for verdict, text in findings if verdict is worst]
    reason = "; ".join(told) or "measured; the policy sets no limit that applies without a baseline"
    return Judgement(worst, reason, {"batches": judged, "resamples": _RESAMPLES})


def _judge_batch(
    batch: Mapping[str, Any], policy: PerformancePolicy, seed: str
) -> tuple[list[Finding], dict[str, object]]:
    size = batch.get("batch_size")
    candidate = np.array(numbers_in(batch, "candidate_ms"))
    baseline = np.array(numbers_in(batch, "baseline_ms"))
    if len(candidate) < 2 or len(baseline) not in (0, len(candidate)) or candidate.min() <= 0:
        raise EvidenceUnreadable(f"batch size {size} has samples that do not pair")
    if len(baseline) and baseline.min() <= 0:
        raise EvidenceUnreadable(f"batch size {size} has a latency of nothing")
    quantile = _QUANTILE[policy.statistic]
    name = policy.statistic.lower()
    if len(candidate) < FEWEST_RUNS[policy.statistic]:
        few = f"batch size {size}: {len(candidate)} runs are too few for {name}{_MORE}"
        return [(StepVerdict.INCONCLUSIVE, few)], {"batch_size": size, "samples": len(candidate)}
    drawn = _resampled(candidate, baseline, quantile, f"{seed}/{size}")
    numbers: dict[str, object] = {"batch_size": size, "samples": len(candidate)}
    findings = []
    numbers["candidate"] = _quantiles(candidate)
    low, high = _interval(drawn[0], policy.confidence)
    numbers["latency_ms"] = {"statistic": name, "low": low, "high": high}
    if policy.max_latency_ms is not None:
        about = f"batch size {size}: {name} {float(np.quantile(candidate, quantile)):.3g} ms"
        findings.append(_limited(about, low, high, policy.max_latency_ms, policy.confidence))
    if len(baseline):
        numbers["baseline"] = _quantiles(baseline)
        ratio = float(np.quantile(candidate, quantile) / np.quantile(baseline, quantile))
        low, high = _interval(drawn[0] / drawn[1], policy.confidence)
        numbers["ratio"] = {"statistic": name, "value": ratio, "low": low, "high": high}
        about = f"batch size {size}: {name} is {ratio:.3f} times that of production"
        findings.append(_limited(about, low, high, policy.max_latency_ratio, policy.confidence))
    return findings, numbers


def _limited(about: str, low: float, high: float, limit: float, confidence: float) -> Finding:
    verdict = StepVerdict.INCONCLUSIVE
    if high <= limit:
        verdict = StepVerdict.PASSED
    elif low > limit:
        verdict = StepVerdict.FAILED
    told = f"{about} ({confidence:.0%} interval {low:.4g} to {high:.4g}, limit {limit:g})"
    return verdict, f"{told}{_MORE if verdict is StepVerdict.INCONCLUSIVE else ''}"


def _memory(evidence: Mapping[str, Any], policy: PerformancePolicy) -> Iterator[Finding]:
    compared = any(batch.get("baseline_ms") for batch in objects_in(evidence, "batches"))
    if policy.max_memory_ratio is None or not compared:
        return
    peaks = evidence.get("peak_memory_mb")
    held = peaks if isinstance(peaks, Mapping) else {}
    candidate, baseline = (optional_number(held.get(name)) for name in ("candidate", "baseline"))
    if candidate is None or not baseline:
        why = "the peak memory of one of the two is not known, so max_memory_ratio cannot be judged"
        yield StepVerdict.INCONCLUSIVE, why
        return
    ratio = candidate / baseline
    good = ratio <= policy.max_memory_ratio
    yield (
        StepVerdict.PASSED if good else StepVerdict.FAILED,
        f"peak memory is {ratio:.3f} times that of production (limit {policy.max_memory_ratio:g})",
    )


def _resampled(
    candidate: Floats, baseline: Floats, quantile: float, seed: str
) -> tuple[Floats, Floats]:
    """The statistic of both in each resample; chance comes from the seed, so anybody gets these."""
    digest = hashlib.sha256(seed.encode()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    count = len(candidate)
    found: tuple[list[Floats], list[Floats]] = ([], [])
    left = _RESAMPLES
    while left:
        rows = min(left, max(1, _AT_ONCE // count))
        drawn = chance.integers(0, count, size=(rows, count))
        found[0].append(np.quantile(candidate[drawn], quantile, axis=1))
        found[1].append(
            np.quantile(baseline[drawn], quantile, axis=1) if len(baseline) else np.empty(0)
        )
        left -= rows
    return np.concatenate(found[0]), np.concatenate(found[1])


def _interval(values: Floats, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _quantiles(samples: Floats) -> dict[str, float]:
    return {
        f"{name.lower()}_ms": float(np.quantile(samples, share))
        for name, share in _QUANTILE.items()
    }
