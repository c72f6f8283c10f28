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
    by_lot: npt.NDArray[np.int64] | None = None,
) -> Interval:
    """Its interval.

    Args:
        counts: of the data, shape (groups, cells).
        resampled: of each resample, shape (resamples, groups, cells).
        of: which figure.
        confidence: 0 to 1.
        by_lot: the counts of the data by lot, where rows of a lot depend on each other.
    """
    value = disparity(counts, of)
    if value is None or not len(resampled):
        return NONE
    families = [
        rate_family(counts, resampled, rate, logarithmic=of.is_ratio, by_lot=by_lot)
        for rate in of.rates
    ]
    low, high = band_of(families, confidence).largest()
    if not of.is_ratio:
        return low, min(1.0, high)
    # Where a group has no hit its true rate may be 0 too, whose logarithm no band reaches.
    return float(np.exp(-high)) if value > 0 else 0.0, float(np.exp(-low))


def impact_ratios(
    counts: npt.NDArray[np.int64],
    resampled: Floats,
    confidence: float,
    by_lot: npt.NDArray[np.int64] | None = None,
) -> tuple[Floats, Sequence[Interval]]:
    """Each group's selection rate over the highest, and the intervals, at once for all groups."""
    rates = rates_of(counts, "selection_rate")
    best = float(np.nanmax(rates))
    if best <= 0:
        return np.full(len(rates), np.nan), [NONE] * len(rates)
    if not len(resampled) or len(rates) < 2:
        return rates / best, [NONE] * len(rates)
    family = rate_family(counts, resampled, "selection_rate", logarithmic=True, by_lot=by_lot)
    band = band_of([family], confidence)
    ends = [band.below_best(group) for group in range(len(rates))]
    return rates / best, [
        (float(np.exp(-high)) if rate > 0 else 0.0, float(np.exp(-low)))
        for rate, (low, high) in zip(rates, ends, strict=True)
    ]


def independent_units(
    counts: npt.NDArray[np.int64], by_lot: npt.NDArray[np.int64] | None, rate: str
) -> Floats:
    """From how many independent rows or lots each group's rate is, from counts (groups, cells)."""
    if by_lot is None:
        return hits_and_bases(counts, rate)[1]
    units: Floats = (hits_and_bases(by_lot, rate)[1] > 0).sum(axis=0).astype(float)
    return units


def rate_family(
    counts: npt.NDArray[np.int64],
    resampled: Floats,
    rate: str,
    *,
    logarithmic: bool,
    by_lot: npt.NDArray[np.int64] | None = None,
) -> Family:
    """A rate of the groups that have one, or its logarithm."""
    hits, bases = hits_and_bases(counts, rate)
    units = independent_units(counts, by_lot, rate)
    has = bases > 0
    drawn_hits, drawn_bases = (part[:, has] for part in hits_and_bases(resampled, rate))
    hits, bases, units = hits[has], bases[has], units[has]
    # Agresti and Coull 1998: two cases of each kind more, where all outcomes of a group agree.
    padded = (hits / bases * units + 2) / (units + 4)
    silent = (hits == 0) | (hits == bases) | (units < 2)
    error = np.where(silent, np.sqrt(padded * (1 - padded) / (units + 4)), 0.0)
    if not logarithmic:
        drawn = np.divide(
            drawn_hits, drawn_bases, out=np.full(drawn_bases.shape, np.nan), where=drawn_bases > 0
        )
        return Family(hits / bases, drawn, error)
    estimate = np.log((hits + 0.5) / (bases + 0.5))
    # A logarithm's error is the relative one.
    return Family(estimate, np.log((drawn_hits + 0.5) / (drawn_bases + 0.5)), error / padded)
