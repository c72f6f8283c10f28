"""Works out what the metrics of kept measurements come to, for many series at once."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np

from modeltrail.processors.windows.metric_windows import SHARES, metric_windows
from modeltrail.processors.windows.sketches import (
    BITS_IN_BIN,
    Floats,
    Integers,
    middles,
    normalised,
)
from modeltrail.schemas.events import MetricWindow
from modeltrail.schemas.sketch import Bins, Flags, bins_of

# The series that are looked at together: the more there are, the less of it stays in the cache.
_AT_ONCE = 4
# Bins that are no farther apart are sorted as short numbers: that takes no comparisons.
_FARTHEST = 0xFFFF
_NO_BIN = 0x7FFFFFFF


class Newest(NamedTuple):
    """The newest measurements of a series.

    Attributes:
        names: of the metrics.
        totals: count, at least 1, and sum as whole number and fraction of each metric, (n, 3).
        values: gives a row a metric and a column a measurement, in any order; NaN is none.
    """

    names: tuple[str, ...]
    totals: Integers
    values: Callable[[], Floats]


def described(several: Sequence[Newest]) -> Iterator[tuple[MetricWindow, ...]]:
    """What the metrics of each series come to."""
    if not several:
        return
    totals = np.concatenate([kept.totals for kept in several]).T
    ranks = np.maximum(np.ceil(np.multiply.outer(SHARES, totals[0])), 1).astype(np.int64)
    ranges = np.empty((2, ranks.shape[1]))
    ranked = np.empty(ranks.shape, dtype=np.int32)
    end = 0
    for values in _together(several):
        begin, end = end, end + sum(map(len, values))
        ranges[:, begin:end] = _ranges(values)
        ranked[:, begin:end] = _ranked(
            values, totals[0, begin:end], ranges[:, begin:end], ranks[:, begin:end]
        )
    # Zero added: which of the two zeros is the least depends on the order.
    ranges += 0.0
    metrics = iter(
        metric_windows(
            [name for kept in several for name in kept.names],
            normalised(totals),
            ranges,
            np.clip(middles(ranked), *ranges),
        )
    )
    for kept in several:
        yield tuple(islice(metrics, len(kept.names)))


def _together(several: Sequence[Newest]) -> Iterator[list[Floats]]:
    """The values of a few series at a time, which have as many measurements."""
    for _, alike in groupby((kept.values() for kept in several), key=lambda each: each.shape[1]):
        while some := list(islice(alike, _AT_ONCE)):
            yield some


def _ranges(several: Sequence[Floats]) -> Floats:
    """The minimum and the maximum of each row, of shape (2, n)."""
    ends = [(values.min(axis=1), values.max(axis=1)) for values in several]
    ranges: Floats = np.concatenate(ends, axis=1)
    if np.isnan(ranges).any():
        ends = [(np.fmin.reduce(each, axis=1), np.fmax.reduce(each, axis=1)) for each in several]
        ranges = np.concatenate(ends, axis=1)
    return ranges


def _ranked(several: Sequence[Floats], counts: Integers, ranges: Floats, ranks: Integers) -> Bins:
    """The bins of some ranks of each row.

    Args:
        several: a row a metric and a column a measurement.
        counts: of each row, without those that are missing.
        ranges: the minimum and the maximum of each row, of shape (2, n).
        ranks: from 1 on, of shape (shares, n).
    """
    first, last = bins_of(ranges)
    columns = several[0].shape[1]
    ranked: Bins = np.tile(first, (len(ranks), 1))
    wide = first < last
    # Of positive values that are all there and near each other the last 16 bits of a bin are
    # enough: they say how far it is from one that is near.
    near = wide & (first > 0) & (last - first <= _FARTHEST) & (counts == columns)
    ranked[:, near] += _distances(several, near, first[near], ranks[:, near])
    others = wide & ~near
    if others.any():
        ranked[:, others] = _ranked_any(np.concatenate(several)[others], ranks[:, others])
    return ranked


def _distances(several: Sequence[Floats], near: Flags, first: Bins, ranks: Integers) -> Bins:
    """How far the bins of some ranks are from the first one, of rows where that fits 16 bits."""
    short = np.empty((len(first), several[0].shape[1]), dtype=np.uint16)
    chosen = np.split(near, np.cumsum(list(map(len, several)))[:-1])
    end = 0
    for values, mine in zip(several, chosen, strict=True):
        begin, end = end, end + int(np.count_nonzero(mine))
        bits = values.view(np.int64)[mine]
        np.right_shift(bits, BITS_IN_BIN, out=short[begin:end], casting="unsafe")
    short -= (first - 1).astype(np.uint16)[:, np.newaxis]
    short.sort(axis=1, kind="stable")
    found: Bins = short[np.arange(len(first)), ranks - 1].astype(np.int32)
    return found


def _ranked_any(values: Floats, ranks: Integers) -> Bins:
    """The bins of some ranks of each row, whatever it holds."""
    bins = bins_of(values)
    bins[np.isnan(values)] = _NO_BIN
    bins.sort(axis=1)
    ranked: Bins = bins[np.arange(len(bins)), ranks - 1]
    return ranked
