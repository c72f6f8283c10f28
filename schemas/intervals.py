"""Answers how sure a mean over repeated runs is: its 95 % confidence interval by Student's t."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_HALVINGS = 100


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean and the two-sided 95 % interval of Student's t around it; of one value, no interval.

    It holds for values of independent runs that are roughly normal.
    """

    count: int
    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float]) -> MeanInterval:
    """The mean of one value or more, and its interval from two on."""
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return MeanInterval(count, mean, None, None)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = t_quantile(count - 1) * math.sqrt(variance / count)
    return MeanInterval(count, mean, mean - half, mean + half)


def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """The t that a Student variable of `freedom` degrees stays within, at `confidence`."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, freedom: int) -> float:
    """P(|T| < t). Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3-4."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, squared = math.sin(angle), math.cos(angle) ** 2
    odd = freedom % 2 == 1
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for divisor in range(3 if odd else 2, freedom - 1, 2):
        term *= squared * (divisor - 1) / divisor
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
