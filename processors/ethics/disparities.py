"""Answers how far groups are apart: demographic parity, equalised odds, error rates.

Differences are of rates, ratios of their logarithms, with half a case added in the interval, as a
rate of 0 has no logarithm (Walter: "The distribution of Levin's measure of attributable risk",
Biometrika 62, 1975).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.intervals import NONE, Interval
from modeltrail.processors.ethics.rates import hits_and_bases, rates_of, ratio, spread
from modeltrail.processors.ethics.simultaneous import Family, band_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disparity:
    """A largest difference or a smallest ratio, over groups and one rate or more."""

    rates: tuple[str, ...]
    is_ratio: bool


OUTCOME_DISPARITIES: Mapping[str, Disparity] = MappingProxyType(
    {
        "demographic_parity_difference": Disparity(("selection_rate",), False),
        "demographic_parity_ratio": Disparity(("selection_rate",), True),
        "equalized_odds_difference": Disparity(
            ("true_positive_rate", "false_positive_rate"), False
        ),
        "equalized_odds_ratio": Disparity(("true_positive_rate", "false_positive_rate"), True),
        "accuracy_difference": Disparity(("accuracy",), False),
    }
)
DETECTION_DISPARITIES: Mapping[str, Disparity] = MappingProxyType(
    {
        "miss_rate_difference": Disparity(("miss_rate",), False),
        "miss_rate_ratio": Disparity(("miss_rate",), True),
    }
)


def disparity(counts: npt.NDArray[Any], of: Disparity) -> float | None:
    """The figure of the data, from counts (groups, cells); None where a rate has under two groups.

    Of several rates the worse one counts.
    """
    measure, worse = (ratio, min) if of.is_ratio else (spread, max)
    found = [float(measure(rates_of(counts, rate))) for rate in of.rates]
    return None if any(np.isnan(found)) else worse(found)


def disparity_interval(
    counts: npt.NDArray[np.int64],
    resampled: Floats,
    of: Disparity,
    confidence: float,
) -> Interval:
    """Its interval, from counts (groups, cells) and of resamples (resamples, groups, cells)."""
    if disparity(counts, of) is None or not len(resampled):
        return NONE
    families = [rate_family(counts, resampled, rate, logarithmic=of.is_ratio) for rate in of.rates]
    low, high = band_of(families, confidence).largest()
    return (float(np.exp(-high)), float(np.exp(-low))) if of.is_ratio else (low, min(1.0, high))


def impact_ratios(
    counts: npt.NDArray[np.int64], resampled: Floats, confidence: float
) -> tuple[Floats, Sequence[Interval]]:
    """Each group's selection rate over the highest, and the intervals, at once for all groups."""
    rates = rates_of(counts, "selection_rate")
    best = float(np.nanmax(rates))
    if best <= 0:
        return np.full(len(rates), np.nan), [NONE] * len(rates)
    if not len(resampled) or len(rates) < 2:
        return rates / best, [NONE] * len(rates)
    family = rate_family(counts, resampled, "selection_rate", logarithmic=True)
    band = band_of([family], confidence)
    ends = [band.below_best(group) for group in range(len(rates))]
    return rates / best, [(float(np.exp(-high)), float(np.exp(-low))) for low, high in ends]


def rate_family(
    counts: npt.NDArray[np.int64], resampled: Floats, rate: str, *, logarithmic: bool
) -> Family:
    """A rate of the groups that have one, or its logarithm."""
    hits, bases = hits_and_bases(counts, rate)
    has = bases > 0
    drawn_hits, drawn_bases = (part[:, has] for part in hits_and_bases(resampled, rate))
    hits, bases = hits[has], bases[has]
    # Agresti and Coull 1998: two cases of each kind more, where all outcomes of a group agree.
    padded = (hits + 2) / (bases + 4)
    error = np.sqrt(padded * (1 - padded) / (bases + 4))
    if not logarithmic:
        drawn = np.divide(
            drawn_hits, drawn_bases, out=np.full(drawn_bases.shape, np.nan), where=drawn_bases > 0
        )
        return Family(hits / bases, drawn, error)
    estimate = np.log((hits + 0.5) / (bases + 0.5))
    # A logarithm's error is the relative one.
    return Family(estimate, np.log((drawn_hits + 0.5) / (drawn_bases + 0.5)), error / padded)
