"""Holds the integer state of many metrics in columns, and merges such tables in any order.

Thousands of metrics are merged with a few sorts instead of a loop. A bin takes 2 to 4 bytes: the
gap to the one before it, and its count in the smallest type that holds all counts of the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.packed_bins import PackedBins, pack
from modeltrail.schemas.sketch import FRACTION_BITS, bin_middle

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: Rows, bins and counts come in whatever integers are the smallest.
AnyIntegers = npt.NDArray[Any]

# A key orders the bins of all rows: the row, then the bin, which fits 20 bits with its sign.
_BIN_BITS = 20
_BIN_OFFSET = 1 << (_BIN_BITS - 1)
# A merge sorts this many bins at a time, so that its scratch memory stays at some 15 MB.
_MOST_KEYS = 1 << 18


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

    def where(self, chosen: Flags) -> "Sketches":
        """The rows that are flagged."""
        lengths = np.diff(self.starts)
        entries = np.repeat(chosen, lengths)
        return _packed(
            self.rows[chosen],
            self.totals[:, chosen],
            self.ranges[:, chosen],
            _starts(lengths[chosen]),
            self.bins[entries],
            self.bin_counts[entries],
        )

    def between(self, low: int, high: int) -> "Sketches":
        """The rows from `low` up to, but without, `high`, as views."""
        begin, end = np.searchsorted(self.rows, (low, high))
        first, last = int(self.starts[begin]), int(self.starts[end])
        return Sketches(
            self.rows[begin:end],
            self.totals[:, begin:end],
            self.ranges[:, begin:end],
            self.starts[begin : end + 1] - self.starts[begin],
            self.first_bins[begin:end],
            self.packed.between(first, last),
            self.bin_counts[first:last],
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
    order = np.argsort(rows, kind="stable")
    rows = rows[order].astype(np.int64)
    if not rows.size:
        return NONE
    heads = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    # A part may be of any row, so its bins need their row's name before they can be sorted.
    owners = np.empty(len(rows), dtype=np.int64)
    owners[order] = rows
    named = (np.repeat(owners, lengths) << _BIN_BITS) + bins + _BIN_OFFSET
    keys, counts = _counted(named.astype(np.int64), bin_counts)
    rows = rows[heads]
    totals = np.add.reduceat(totals[:, order], heads, axis=1)
    ranges = ranges[:, order]
    return _packed(
        rows,
        _normalised(totals),
        np.stack((np.minimum.reduceat(ranges[0], heads), np.maximum.reduceat(ranges[1], heads))),
        np.searchsorted(keys, np.append(rows, rows[-1] + 1) << _BIN_BITS).astype(np.int64),
        (keys & ((1 << _BIN_BITS) - 1)) - _BIN_OFFSET,
        counts,
    )


def merged(tables: Sequence[Sketches]) -> Sketches:
    """The sum of tables; their order and how they were cut make no difference."""
    tables = [table for table in tables if table.rows.size]
    if len(tables) < 2:
        return tables[0] if tables else NONE
    return _joined(
        [
            _merged_at_once([table.between(low, high) for table in tables])
            for low, high in _row_ranges(tables)
        ]
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
    """The value that stands for each bin."""
    distinct, places = np.unique(bins, return_inverse=True)
    middles = np.array([bin_middle(number) for number in distinct.tolist()])
    return middles[places].reshape(bins.shape)


def _row_ranges(tables: Sequence[Sketches]) -> Iterator[tuple[int, int]]:
    rows = np.unique(np.concatenate([table.rows for table in tables]))
    entries = sum(len(table.bin_counts) for table in tables)
    step = max(1, len(rows) * _MOST_KEYS // max(entries, _MOST_KEYS))
    for begin in range(0, len(rows), step):
        last = min(begin + step, len(rows)) - 1
        yield int(rows[begin]), int(rows[last]) + 1


def _merged_at_once(tables: Sequence[Sketches]) -> Sketches:
    return added_up(
        [
            Parts(
                table.rows,
                table.totals,
                table.ranges,
                np.diff(table.starts),
                table.bins,
                table.bin_counts,
            )
            for table in tables
        ]
    )


def _joined(tables: Sequence[Sketches]) -> Sketches:
    """One table of several whose rows follow one another."""
    return _packed(
        np.concatenate([table.rows for table in tables]),
        np.concatenate([table.totals for table in tables], axis=1),
        np.concatenate([table.ranges for table in tables], axis=1),
        _starts(np.concatenate([np.diff(table.starts) for table in tables])),
        np.concatenate([table.bins for table in tables]),
        np.concatenate([table.bin_counts for table in tables]),
    )


def _counted(keys: Integers, counts: AnyIntegers) -> tuple[Integers, Integers]:
    """Rising unique keys and the sum of the counts of each."""
    if not keys.size:
        return keys, np.zeros(0, np.int64)
    keys, counts = _sorted(keys, counts.astype(np.int64))
    heads = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[heads], np.add.reduceat(counts, heads)


def _sorted(keys: Integers, counts: Integers) -> tuple[Integers, Integers]:
    first = keys.min()
    count_bits = int(counts.max()).bit_length()
    if int(keys.max() - first).bit_length() + count_bits < 64:
        # Sorting both as one number is several times as fast as sorting places.
        both = (keys - first) << count_bits
        both |= counts
        both.sort()
        return (both >> count_bits) + first, both & ((1 << count_bits) - 1)
    order = np.argsort(keys, kind="stable")
    return keys[order], counts[order]


def _packed(
    rows: Integers,
    totals: Integers,
    ranges: Floats,
    starts: Integers,
    bins: Integers,
    counts: AnyIntegers,
) -> Sketches:
    # A row without bins may stand at the very end, where no bin is.
    first = np.append(bins, 0)[starts[:-1]].astype(np.int32)
    return Sketches(rows, totals, ranges, starts, first, pack(bins, starts), _smallest(counts))


def _smallest(values: AnyIntegers) -> AnyIntegers:
    most = int(values.max()) if values.size else 0
    return values.astype(np.min_scalar_type(most))


def _starts(lengths: AnyIntegers) -> Integers:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def _normalised(totals: Integers) -> Integers:
    totals[1] += totals[2] >> FRACTION_BITS
    totals[2] &= (1 << FRACTION_BITS) - 1
    return totals


NONE = Sketches(
    rows=np.zeros(0, np.int64),
    totals=np.zeros((3, 0), np.int64),
    ranges=np.zeros((2, 0)),
    starts=np.zeros(1, np.int64),
    first_bins=np.zeros(0, np.int32),
    packed=pack(np.zeros(0, np.int64), np.zeros(1, np.int64)),
    bin_counts=np.zeros(0, np.uint8),
)
