"""Holds the integer state of many metrics in columns, and merges such tables in any order.

Thousands of metrics are merged with a few sorts instead of a loop. A bin takes 2 to 4 bytes: the
gap to the one before it, and its count in the smallest type that holds all counts of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.keys import (
    BIN_BITS,
    BIN_OFFSET,
    Binned,
    added,
    binned,
    counted,
    smallest,
)
from modeltrail.processors.windows.packed_bins import PackedBins, pack
from modeltrail.schemas.sketch import FRACTION_BITS

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: Rows, bins and counts come in whatever integers are the smallest.
AnyIntegers = npt.NDArray[Any]

#: A bin leaves out so many bits of a float64.
BITS_IN_BIN = 45
# A merge sorts this many bins at a time: they stay in the cache, and its scratch memory is small.
_MOST_KEYS = 1 << 17


@dataclass(frozen=True, slots=True)
class Sketches:
    """One row a metric: `rows` rises and is unique, bins rise within a row.

    Attributes:
        rows: what the row is about, a number that the caller gives.
        totals: columns (count, sum_whole, sum_fraction) of shape (3, n), normalised.
        ranges: columns (minimum, maximum) of shape (2, n).
        starts: where the bins of each row begin, of n + 1.
        first_bins: the first bin of each row; anything for a row without bins.
        packed: the bins, as gaps.
        bin_counts: how many values each bin holds.
    """

    rows: Integers
    totals: Integers
    ranges: Floats
    starts: Integers
    first_bins: AnyIntegers
    packed: PackedBins
    bin_counts: AnyIntegers

    @property
    def bins(self) -> Integers:
        """The bins of all rows."""
        return self.packed.unpacked(self.first_bins, self.starts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        columns = (self.rows, self.totals, self.ranges, self.starts, self.first_bins)
        return sum(column.nbytes for column in (*columns, self.packed, self.bin_counts))

    @property
    def binned(self) -> Binned:
        """The bins of all rows, packed."""
        return Binned(self.starts, self.first_bins, self.packed, self.bin_counts)

    def where(self, chosen: Flags) -> "Sketches":
        """The rows that are flagged."""
        lengths = np.diff(self.starts)
        entries = np.repeat(chosen, lengths)
        starts = _starts(lengths[chosen])
        return Sketches(
            self.rows[chosen],
            self.totals[:, chosen],
            self.ranges[:, chosen],
            starts,
            self.first_bins[chosen],
            pack(self.bins[entries], starts),
            smallest(self.bin_counts[entries]),
        )

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """The value of nearest rank of each share and row, of shape (shares, n).

        Equal to `schemas.sketch.quantile`; rows without bins give NaN.
        """
        found = np.full((len(shares), len(self.rows)), np.nan)
        filled = np.flatnonzero(np.diff(self.starts))
        if not filled.size:
            return found
        reached = np.cumsum(self.bin_counts, dtype=np.int64)
        until = reached[self.starts[filled + 1] - 1]
        before = np.concatenate(([0], until[:-1]))
        ranks = np.maximum(np.ceil(np.outer(shares, until - before)), 1).astype(np.int64)
        places = np.searchsorted(reached, before + ranks)
        found[:, filled] = np.clip(middles(self.bins[places]), *self.ranges[:, filled])
        return found


class Parts(NamedTuple):
    """Metrics in any order, of which several may be of the same row.

    Attributes:
        rows: the row of each part.
        totals: (count, sum_whole, sum_fraction) of each part, of shape (3, n).
        ranges: (minimum, maximum) of each part, of shape (2, n).
        lengths: how many bins each part has.
        bins: the bins of all parts, part by part.
        bin_counts: as many counts.
    """

    rows: AnyIntegers
    totals: Integers
    ranges: Floats
    lengths: AnyIntegers
    bins: AnyIntegers
    bin_counts: AnyIntegers


def added_up(several: Sequence[Parts]) -> Sketches:
    """The table of all parts; those with the same row are added up."""
    rows, totals, ranges, lengths, bins, bin_counts = (
        np.concatenate(columns, axis=-1) for columns in zip(*several, strict=True)
    )
    if not rows.size:
        return NONE
    order = np.argsort(rows, kind="stable")
    rows = rows[order].astype(np.int64)
    begins = np.concatenate(([True], rows[1:] != rows[:-1]))
    heads = np.flatnonzero(begins)
    # A part may be of any row, so its bins need their row's place before they can be sorted.
    owners = np.empty(len(rows), dtype=np.int64)
    owners[order] = np.cumsum(begins) - 1
    keys = np.repeat((owners << BIN_BITS) + BIN_OFFSET, lengths)
    keys += bins
    totals = np.add.reduceat(totals[:, order], heads, axis=1)
    ranges = ranges[:, order]
    return Sketches(
        rows[heads],
        normalised(totals),
        np.stack((np.minimum.reduceat(ranges[0], heads), np.maximum.reduceat(ranges[1], heads))),
        *binned(*counted(keys, bin_counts), len(heads)),
    )


def merged(tables: Sequence[Sketches]) -> Sketches:
    """The sum of tables; their order and how they were cut make no difference."""
    tables = [table for table in tables if table.rows.size]
    if len(tables) < 2:
        return tables[0] if tables else NONE
    rows = tables[0].rows
    if not all(np.array_equal(rows, table.rows) for table in tables):
        rows = np.unique(np.concatenate([table.rows for table in tables]))
    places = [np.searchsorted(rows, table.rows) for table in tables]
    totals = np.zeros((3, len(rows)), dtype=np.int64)
    minima, maxima = (np.full(len(rows), bound) for bound in (np.inf, -np.inf))
    for mine, table in zip(places, tables, strict=True):
        totals[:, mine] += table.totals
        minima[mine] = np.minimum(minima[mine], table.ranges[0])
        maxima[mine] = np.maximum(maxima[mine], table.ranges[1])
    columns = [table.binned for table in tables]
    return Sketches(
        rows,
        normalised(totals),
        np.stack((minima, maxima)),
        *added(list(zip(places, columns, strict=True)), len(rows), _MOST_KEYS),
    )


def replaced(table: Sketches, rows: AnyIntegers, by: Sketches) -> Sketches:
    """`table` with what it says of `rows` replaced by what `by` says of them."""
    return merged([table.where(~np.isin(table.rows, rows)), by])


def rows_that_differ(one: Sketches, other: Sketches) -> Integers:
    """The rows of which the two do not say the same."""
    common = np.intersect1d(one.rows, other.rows)
    apart = np.setxor1d(one.rows, other.rows)
    one, other = (table.where(np.isin(table.rows, common)) for table in (one, other))
    same = (
        (one.totals == other.totals).all(axis=0)
        & (one.ranges == other.ranges).all(axis=0)
        & (np.diff(one.starts) == np.diff(other.starts))
    )
    alike = [table.where(same) for table in (one, other)]
    left, right = alike
    unequal = (left.bins != right.bins) | (left.bin_counts != right.bin_counts)
    by_bins = np.repeat(left.rows, np.diff(left.starts))[unequal]
    return np.unique(np.concatenate((apart, common[~same], by_bins)))


def middles(bins: AnyIntegers) -> Floats:
    """The value that stands for each bin, as `schemas.sketch.bin_middle` says."""
    outer = np.abs(bins).astype(np.int64)
    inner = np.maximum(outer - 1, 0)
    low, high = ((each << BITS_IN_BIN).view(np.float64) for each in (inner, outer))
    return np.where(bins < 0, -(low + high) / 2, (low + high) / 2)


def normalised(totals: Integers) -> Integers:
    """The same sums with fractions under 1: equal sums are equal pairs; what is given is lost.

    Args:
        totals: columns (count, sum_whole, sum_fraction), of shape (3, n).
    """
    totals[1] += totals[2] >> FRACTION_BITS
    totals[2] &= (1 << FRACTION_BITS) - 1
    return totals


def _starts(lengths: AnyIntegers) -> Integers:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


NONE = Sketches(
    rows=np.zeros(0, np.int64),
    totals=np.zeros((3, 0), np.int64),
    ranges=np.zeros((2, 0)),
    starts=np.zeros(1, np.int64),
    first_bins=np.zeros(0, np.int32),
    packed=pack(np.zeros(0, np.int64), np.zeros(1, np.int64)),
    bin_counts=np.zeros(0, np.uint8),
)
