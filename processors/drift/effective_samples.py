"""Answers how many independent values autocorrelated ones are worth, from counts by bucket.

The method is batch means (Law and Kelton: "Simulation Modeling and Analysis", chapter 9): the
means of buckets of n independent values would scatter with 1/n of the variance of a value; n times
what they do scatter with, over that variance, is how many values make an independent one. What
scatters are scores in place of values: the rank of a bin in the reference and its distance from
the median (numeric), or whether a value is of a category; so an outlier weighs no more than its
rank, and the least favourable score decides.

Buckets depend on each other too. Their autocovariances come from differences at a lag (von
Neumann: "Distribution of the ratio of the mean square successive difference to the variance",
Ann. Math. Statist. 12, 1941), not from their common mean, without the largest and cut at three
sigma: so a shift of level, which drift tests are to find, hardly moves them. Their sum ends at a
lag of two buckets, or at four if differences still grow beyond two; slower dependence is seen in
part only. Few buckets tell the scatter badly: then it is taken for larger, and values for worth
less.
"""

import math

import numpy as np
import numpy.typing as npt

from modeltrail.processors.drift.shares import Counts, Floats, shares

#: With fewer buckets the scatter of their means says nothing.
FEWEST_BUCKETS = 6
#: A scatter told by n buckets may be 1 + 10/n times as large: about the bound that it keeps in
#: nine of ten cases.
_DOUBT = 10.0
_SHORT, _LONG, _FEWEST_FOR_LONG = 2, 4, 12
#: Standard errors by which differences must grow to be more than chance.
_GROWTH_ERRORS = 2.5
#: Squared differences are cut at 3^2 times the variance, which the median of a squared normal
#: variable, 0.4549 of it, tells without the cut ones.
_CUT = 3.0**2
_MEDIAN_OF_SQUARE = 0.4549
#: Scores lie between 0 and 1; means of the same ones differ in their last digits only.
_ROUNDING = 1e-14


def rank_weights(reference: Counts) -> Floats:
    """Of a numeric feature, for scores by rank and by distance from the median, shape (5, bins).

    Weights times counts of buckets are their sizes, their sums of each score, and those of its
    square.
    """
    held = shares(reference)
    ranks = np.cumsum(held) - held / 2
    return _weights(np.stack([ranks, np.abs(ranks - 0.5)]))


def category_weights(categories: int) -> Floats:
    """Of categories, scored by whether a value is of each, shape (1 + 2 categories, categories)."""
    return _weights(np.eye(categories))


def _weights(scores: Floats) -> Floats:
    return np.concatenate([np.ones((1, scores.shape[1])), scores, scores**2])


def values_per_independent(sums: Floats) -> Floats:
    """How many values are worth one independent value, at least 1; NaN: too few buckets.

    Values that never vary over the bins cannot show their dependence: a whole bucket of them is
    taken for one.

    Args:
        sums: weights times counts of any number of features, shape (features, 1 + 2 scores,
            buckets), with the buckets in the order of time; a column of zeros is a bucket without
            values. What they are is lost.
    """
    found = np.full(len(sums), np.nan)
    if sums.shape[-1] < FEWEST_BUCKETS:
        return found
    held = _held(sums[:, 0])
    buckets = held.sum(axis=-1)
    # Features are stacked by their number of buckets: how a sum is rounded depends on its length.
    for number in np.unique(buckets[buckets >= FEWEST_BUCKETS]).tolist():
        alike = np.flatnonzero(buckets == number)
        kept = sums if len(alike) == len(sums) else sums[alike]
        if number < sums.shape[-1]:
            columns = np.broadcast_to(held[alike, None], kept.shape)
            kept = kept[columns].reshape(*kept.shape[:-1], number)
        found[alike] = _worth(kept)
    return found


def _held(sizes: Floats) -> npt.NDArray[np.bool_]:
    """The buckets to judge by, shape (features, buckets) as that of `sizes`.

    The first bucket of a node, or its last, holds a few values and scatters by itself.
    """
    held = sizes > 0
    # Where the largest is at most twice the least, none is under half the median.
    uneven = np.flatnonzero(2 * sizes.min(axis=-1) < sizes.max(axis=-1))
    if len(uneven):
        rising = np.sort(sizes[uneven], axis=-1)
        ends = 2 * rising.shape[-1] - np.count_nonzero(rising, axis=-1)
        rows = np.arange(len(uneven))
        medians = (rising[rows, (ends - 1) // 2] + rising[rows, ends // 2]) / 2
        held[uneven] &= 2 * sizes[uneven] >= medians[:, None]
    return held


def _worth(sums: Floats) -> Floats:
    """As many values as make an independent one, shape (features,); no bucket is empty."""
    scores, buckets = sums.shape[1] // 2, sums.shape[2]
    sizes, of_scores = sums[:, :1], sums[:, 1:]
    # In place: memory that is freed for every part of a fleet goes back to the system each time.
    of_scores /= sizes
    means, squares = of_scores[:, :scores], of_scores[:, scores:]
    squares -= means**2
    within = np.mean(squares, axis=-1)
    between, long_run = _variances(means)
    varies = long_run > _ROUNDING**2
    variance = np.where(within > _ROUNDING, within, 0.0) + between
    # Of buckets that each hold one value again and again, every other one may be the same.
    variance = np.where(variance > _ROUNDING**2, variance, long_run)
    ratios = np.where(varies, long_run, 0.0) / np.where(varies, variance, 1.0)
    size = np.mean(sizes, axis=-1)[:, 0]
    worth: Floats = np.maximum(1.0, size * np.max(ratios, axis=-1) * (1 + _DOUBT / buckets))
    found: Floats = np.where(varies.any(axis=-1), worth, size)
    return found


def _variances(means: Floats) -> tuple[Floats, Floats]:
    """Of the means of buckets, shape (..., buckets): the variance, and with its covariances."""
    buckets = means.shape[-1]
    next_ones, short = _scatter_at(means, 1), _scatter_at(means, _SHORT)
    # Of autocovariances that end at a lag, each is how far the scatter there is above their own.
    variance, covariances = short, short - next_ones
    if buckets >= _FEWEST_FOR_LONG:
        long = _scatter_at(means, _LONG)
        grows = long > short * (1 + _GROWTH_ERRORS / math.sqrt(buckets))
        if grows.any():
            variance = np.where(grows, long, short)
            between = [_scatter_at(means[grows], lag) for lag in range(_SHORT + 1, _LONG)]
            nearer = [next_ones[grows], short[grows], *between]
            covariances[grows] = sum(long[grows] - scatter for scatter in nearer)
    # The variance of a sum is gamma_0 + 2 (gamma_1 + ...).
    return variance, np.maximum(variance + 2 * covariances, next_ones)


def _scatter_at(means: Floats, lag: int) -> Floats:
    """Half the mean square of differences at a lag, shape (...): gamma_0 - gamma_lag."""
    later, earlier = means[..., lag:], means[..., :-lag]
    number = later.shape[-1]
    # Sorted halves tell all that the sorted whole does, and are made in half the time.
    halves = [
        later[..., part] - earlier[..., part]
        for part in (slice(number // 2), slice(number // 2, None))
    ]
    for half in halves:
        np.square(half, out=half)
        half.sort(axis=-1)
    ceiling = _CUT / _MEDIAN_OF_SQUARE * _median(*halves)
    # Most buckets may be alike: then nothing tells what the usual scatter is.
    ceiling = np.where(ceiling > _ROUNDING**2, ceiling, np.inf)[..., None]
    # A shift of level is in as many differences as the lag has buckets.
    largest = np.concatenate([half[..., -lag:] for half in halves], axis=-1)
    largest.sort(axis=-1)
    for squares in (*halves, largest):
        np.minimum(squares, ceiling, out=squares)
    usual = [*(half[..., :-lag] for half in halves), largest[..., :lag]]
    total = sum(np.sum(squares, axis=-1) for squares in usual)
    found: Floats = total / (2 * (number - lag))
    return found


def _median(one: Floats, other: Floats) -> Floats:
    """The upper median of two sorted halves together, of which the other may be longer by one.

    Half of all and one more can be taken as the first i of one and the first of the other, for any
    i; the largest of them is least where they are the smallest of all.
    """
    half = one.shape[-1]
    paired = np.maximum(one, other[..., half - 1 :: -1]).min(axis=-1)
    found: Floats = np.minimum(paired, other[..., half:].min(axis=-1, initial=np.inf))
    return found
