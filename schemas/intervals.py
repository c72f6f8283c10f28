"""Answers how sure a mean over repeated runs is: its 95 % confidence interval by Student's t."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_HALVINGS = 100


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean and the two-sided 95 % interval of Student's t around it.

    It holds for values of independent runs that are roughly normal. There is none of one value, and
    none where an end is beyond the largest number.
    """

    count: int
    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float]) -> MeanInterval:
    """The mean of one value or more, and its interval from two on."""
    count = len(values)
    # Scaled to at most 1, no square or sum overflows; by a power of two, no digit changes.
    _, exponent = math.frexp(max(map(abs, values)))
    scaled = [_scaled(value, -exponent) for value in values]
    mean = max(min(math.fsum(scaled) / count, max(scaled)), min(scaled))
    unscaled = _scaled(mean, exponent)
    if count < 2:
        return MeanInterval(count, unscaled, None, None)
    variance = math.fsum((value - mean) * (value - mean) for value in scaled) / (count - 1)
    half = t_quantile(count - 1) * math.sqrt(variance / count)
    low, high = _scaled(mean - half, exponent), _scaled(mean + half, exponent)
    if not (math.isfinite(low) and math.isfinite(high)):
        return MeanInterval(count, unscaled, None, None)
    return MeanInterval(count, unscaled, low, high)


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


def _scaled(value: float, exponent: int) -> float:
    """`value` times two to the power of `exponent`; infinite where that is no number."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


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
