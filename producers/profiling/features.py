"""Answers how the values of one feature are spread: over bins of equal shares, or by category."""

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import FeatureKind, FeatureProfile
from modeltrail.schemas.ids import check_metric_name
from modeltrail.schemas.sketch import (
    Floats,
    bin_bounds,
    bins_of,
    counts_over,
    in_range,
    snapped,
)

FEWEST_VALUES = 100
_BINS = 10
_MOST_CATEGORIES = 20
#: Sketches tell whole numbers apart up to here.
_LARGEST_CATEGORY = 256


def feature_profile(name: str, column: npt.ArrayLike) -> FeatureProfile:
    """Profile one feature.

    A few small whole numbers are categories. Others are binned by deciles, each moved to the
    nearest boundary of sketch bins, so that what windows keep is counted over them exactly; a value
    that makes up more than a bin gets one of its own.

    Args:
        name: the metric that nodes measure it as.
        column: its values, 1-d; NaN is a missing one.

    Raises:
        InvalidFact: the name may not be a metric's, or fewer than 100 values are left without NaN.
    """
    check_metric_name(name)
    values = np.asarray(column, dtype=np.float64)
    values = values[in_range(values)]
    if len(values) < FEWEST_VALUES:
        raise InvalidFact(
            f"feature {name} has {len(values)} values, which say little about its distribution: "
            f"give {FEWEST_VALUES} or more, or leave it out with --features"
        )
    distinct, counts = np.unique(values, return_counts=True)
    if _are_categories(distinct):
        return FeatureProfile(
            name,
            FeatureKind.CATEGORICAL,
            counts=tuple(counts.tolist()),
            categories=tuple(f"{value:.0f}" for value in distinct.tolist()),
        )
    bins, bin_counts = np.unique(bins_of(values), return_counts=True)
    edges = _edges(bins, bin_counts)
    return FeatureProfile(
        name,
        FeatureKind.NUMERIC,
        counts=tuple(counts_over(bins, bin_counts, edges).tolist()),
        edges=edges,
    )


def _are_categories(distinct: Floats) -> bool:
    return (
        len(distinct) <= _MOST_CATEGORIES
        and bool((distinct == np.floor(distinct)).all())
        and float(np.abs(distinct).max()) <= _LARGEST_CATEGORY
    )


def _edges(bins: npt.NDArray[np.int32], counts: npt.NDArray[np.intp]) -> tuple[float, ...]:
    """The boundaries between sketch bins that are nearest in rank to the deciles."""
    if len(bins) == 1:
        # A constant: what is below it and above it are bins of their own, empty so far.
        return bin_bounds(int(bins[0]))
    below = np.cumsum(counts)[:-1]
    deciles = counts.sum() * np.arange(1, _BINS) / _BINS
    nearest = np.unique(np.abs(below[None, :] - deciles[:, None]).argmin(axis=1))
    return tuple(snapped(bin_bounds(number)[0]) for number in bins[nearest + 1].tolist())
