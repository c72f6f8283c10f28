"""Answers how sure a share, a mean, a quantile or a resampled figure is."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special  # type: ignore[import-untyped]

from modeltrail.schemas.sketch import bin_middle

Floats = npt.NDArray[np.float64]
Interval = tuple[float | None, float | None]
NONE: Interval = (None, None)
#: With more resamples than this that have no value, what is left says nothing.
_MOST_UNDEFINED = 0.05


def wilson(hits: float, n: float, confidence: float) -> Interval:
    """The interval of a share (Wilson 1927); `n` may be an effective sample size."""
    if n <= 0:
        return NONE
    z = normal_quantile((1 + confidence) / 2)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Exactly 0 and 1 where nothing, or everything, hits: rounding would miss them.
    return (
        max(0.0, centre - half) if hits > 0 else 0.0,
        min(1.0, centre + half) if hits < n else 1.0,
    )


def student(mean: float, variance: float, n: int, confidence: float) -> Interval:
    """The interval of a mean of `n` independent values (Student 1908)."""
    if n < 2:
        return NONE
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(variance / n)
    return mean - half, mean + half


def order_statistics(
    bins: npt.NDArray[np.int32], counts: npt.NDArray[np.int64], q: float, confidence: float
) -> Interval:
    """The interval of a quantile, from rising bins: ranks that hold it by the binomial law.

    Source: Conover, "Practical Nonparametric Statistics", 3rd ed., 3.2.
    """
    reached: Any = np.cumsum(counts)
    n = int(reached[-1])
    spread = normal_quantile((1 + confidence) / 2) * math.sqrt(n * q * (1 - q))
    low, high = math.floor(n * q - spread), math.ceil(n * q + spread)
    # Too few values: the quantile may lie beyond all of them.
    if low < 1 or high > n:
        return NONE
    first, last = np.searchsorted(reached, [low, high])
    return bin_middle(int(bins[first])), bin_middle(int(bins[last]))


def bias_corrected(estimate: Floats, resampled: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of the bias-corrected bootstrap interval of each figure; NaN where there is none.

    Source: Efron, "Nonparametric standard errors and confidence intervals", 1981. The correction
    matters here: a largest difference of groups is too large in most resamples.

    Args:
        estimate: shape (figures,), NaN where the data has none.
        resampled: shape (resamples, figures).
        confidence: 0 to 1.
    """
    defined = np.isfinite(resampled)
    below = np.sum((resampled < estimate) & defined, axis=0)
    equal = np.sum((resampled == estimate) & defined, axis=0)
    count = defined.sum(axis=0)
    usable = np.isfinite(estimate) & (count >= (1 - _MOST_UNDEFINED) * len(resampled))
    share = (below + equal / 2) / np.maximum(count, 1)
    # An estimate beyond all of its resamples has no finite correction.
    shift = special.ndtri(np.clip(share, 1 / len(resampled), 1 - 1 / len(resampled)))
    z = normal_quantile((1 + confidence) / 2)
    ends = []
    for sign in (-1.0, 1.0):
        at = special.ndtr(2 * shift + sign * z)
        ends.append(np.where(usable, _quantiles(resampled, at), np.nan))
    return np.minimum(ends[0], estimate), np.maximum(ends[1], estimate)


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal distribution."""
    return float(special.ndtri(probability))


def _quantiles(resampled: Floats, at: Floats) -> Floats:
    """Column by column, each at its own probability; what is undefined is passed over."""
    ordered = np.sort(resampled, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    place = np.clip(at, 0, 1) * np.maximum(count - 1, 0)
    lower = np.floor(place).astype(int)
    upper = np.minimum(lower + 1, np.maximum(count - 1, 0))
    columns = np.arange(ordered.shape[1])
    part = place - lower
    low, high = ordered[lower, columns], ordered[upper, columns]
    mixed: Floats = low + part * (high - low)
    return mixed
