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

from modeltrail.processors.drift.shares import Counts, Floats

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


def rank_scores(reference: Counts) -> Floats:
    """Scores of the bins of a numeric feature, shape (2, bins): rank, distance from the median."""
    shares = reference / reference.sum()
    ranks = np.cumsum(shares) - shares / 2
    return np.stack([ranks, np.abs(ranks - 0.5)])


def category_scores(categories: int) -> Floats:
    """Scores of categories, shape (categories, categories): whether a value is of each."""
    return np.eye(categories)


def values_per_independent(counts: Counts, scores: Floats) -> float | None:
    """How many values are worth one independent value, at least 1; None: too few buckets.

    Values that never vary over the bins cannot show their dependence: a whole bucket of them is
    taken for one.

    Args:
        counts: shape (buckets, bins), in the order of time; a row of zeros is a bucket without
            values.
        scores: shape (scores, bins).
    """
    sizes = counts.sum(axis=1)
    # The first bucket of a node, or its last, holds a few values and scatters by itself.
    held = 2 * sizes >= np.median(sizes[sizes > 0]) if sizes.any() else sizes > 0
    if held.sum() < FEWEST_BUCKETS:
        return None
    counts, sizes = counts[held], sizes[held]
    means = counts @ scores.T / sizes[:, None]
    within = np.mean(counts @ (scores**2).T / sizes[:, None] - means**2, axis=0)
    between, long_run = _variances(means)
    varies = long_run > _ROUNDING**2
    size = float(np.mean(sizes))
    if not varies.any():
        return size
    variance = np.where(within > _ROUNDING, within, 0.0) + between
    # Of buckets that each hold one value again and again, every other one may be the same.
    variance = np.where(variance > _ROUNDING**2, variance, long_run)
    largest = float(np.max(long_run[varies] / variance[varies]))
    return max(1.0, size * largest * (1 + _DOUBT / len(means)))


def _variances(means: Floats) -> tuple[Floats, Floats]:
    """Of the means of buckets, shape (scores,): the variance, and with its covariances."""
    reach = _LONG if len(means) >= _FEWEST_FOR_LONG else _SHORT
    scatter = np.stack([_scatter_at(means, lag) for lag in range(1, reach + 1)])
    chance = 1 + _GROWTH_ERRORS / math.sqrt(len(means))
    grows = scatter[reach - 1] > scatter[_SHORT - 1] * chance
    variance = np.where(grows, scatter[reach - 1], scatter[_SHORT - 1])
    # The variance of a sum is gamma_0 + 2 (gamma_1 + ...).
    covariances = np.where(grows, _covariances(scatter, reach), _covariances(scatter, _SHORT))
    return variance, np.maximum(variance + 2 * covariances, scatter[0])


def _scatter_at(means: Floats, lag: int) -> Floats:
    """Half the mean square of differences at a lag, shape (scores,): gamma_0 - gamma_lag."""
    squares = np.sort((means[lag:] - means[:-lag]) ** 2, axis=0)
    ceiling = _CUT / _MEDIAN_OF_SQUARE * squares[len(squares) // 2]
    # Most buckets may be alike: then nothing tells what the usual scatter is.
    ceiling[ceiling == 0] = np.inf
    # A shift of level is in as many differences as the lag has buckets.
    usual = np.minimum(squares, ceiling)[:-lag]
    return np.asarray(usual.sum(axis=0) / (2 * len(usual)))


def _covariances(scatter: Floats, reach: int) -> Floats:
    """The sum of the autocovariances up to `reach`, where they are taken to end."""
    return np.asarray(np.sum(scatter[reach - 1] - scatter[: reach - 1], axis=0))
