"""Answers how sure a mean is: a 95 % interval by Student's t over independent or batched values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special  # type: ignore[import-untyped]

CONFIDENCE = 0.95
#: Fewer batches say too little about how they vary.
FEWEST_BATCHES = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of `count` values, and its 95 % interval where there are enough of them."""

    mean: float
    low: float | None
    high: float | None
    count: int


def of_repeats(values: Sequence[float]) -> Estimate:
    """The mean of independent values, such as those of repeated runs; an interval from two on."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Estimate(mean, None, None, len(values))
    half = _half_width(values, mean)
    return Estimate(mean, mean - half, mean + half, len(values))


def of_windows(means: Sequence[float], counts: Sequence[int]) -> Estimate:
    """The mean over windows of a stream whose neighbouring values depend on each other.

    Windows in a row are put into about sqrt(n) batches, whose means hardly depend on each other;
    the interval is Student's t over those.
    Source: Law, "Simulation Modeling and Analysis", 5th ed., 9.5.3, the method of batch means.

    Args:
        means: mean of each window, in the order of time.
        counts: measurements of each window, 1 or more.
    """
    total = sum(counts)
    mean = math.fsum(each * count for each, count in zip(means, counts, strict=True)) / total
    batches = int(math.sqrt(len(means)))
    if batches < FEWEST_BATCHES:
        return Estimate(mean, None, None, total)
    size = len(means) // batches
    whole = [means[start : start + size] for start in range(0, batches * size, size)]
    half = _half_width([math.fsum(batch) / size for batch in whole], mean)
    return Estimate(mean, mean - half, mean + half, total)


def _half_width(values: Sequence[float], mean: float) -> float:
    spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    t = float(special.stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return t * math.sqrt(spread / len(values))
