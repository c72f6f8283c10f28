"""Adds up the bins of many rows, which come in runs that rise, with a sort.

The bins of all rows are one column of numbers: the row, then the bin. What is sorted mostly is
made of few such columns, each sorted already, so a sort that merges them is several times as fast
as one that begins anew.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.packed_bins import PackedBins, joined, pack

Integers = npt.NDArray[np.int64]
AnyIntegers = npt.NDArray[Any]

#: A bin fits 20 bits with its sign.
BIN_BITS = 20
BIN_OFFSET = 1 << (BIN_BITS - 1)
_BIN_MASK = (1 << BIN_BITS) - 1


class Binned(NamedTuple):
    """The bins of many rows.

    Attributes:
        starts: where the bins of each row begin, of n + 1.
        first_bins: the first bin of each row; anything for a row without bins.
        packed: the bins, as gaps.
        counts: how many values each bin holds, in the smallest type that holds all of them.
    """

    starts: Integers
    first_bins: AnyIntegers
    packed: PackedBins
    counts: AnyIntegers


def counted(keys: Integers, counts: AnyIntegers) -> tuple[Integers, Integers]:
    """Rising unique keys and the sum of the counts of each.

    Args:
        keys: rows and bins, not negative; they are lost.
        counts: as many.
    """
    if not keys.size:
        return keys, np.zeros(0, np.int64)
    count_bits = int(counts.max()).bit_length()
    if int(keys.max()).bit_length() + count_bits < 64:
        # Sorting both as one number is several times as fast as sorting places.
        keys <<= count_bits
        keys |= counts.astype(np.int64)
        keys.sort(kind="stable")
        counts = keys & ((1 << count_bits) - 1)
        keys >>= count_bits
    else:
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order].astype(np.int64)
    heads = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    if len(heads) == len(keys):
        return keys, counts
    return keys[heads], np.add.reduceat(counts, heads)


def binned(keys: Integers, counts: AnyIntegers, rows: int) -> Binned:
    """The bins of `rows` rows, of their rising keys."""
    starts = np.searchsorted(keys, np.arange(rows + 1) << BIN_BITS).astype(np.int64)
    # A row without bins may stand at the very end, where no bin is.
    first = (np.append(keys, 0)[starts[:-1]] & _BIN_MASK) - BIN_OFFSET
    # Within a row keys are as far from each other as bins.
    return Binned(starts, first.astype(np.int32), pack(keys, starts), smallest(counts))


def added(tables: Sequence[tuple[Integers, Binned]], rows: int, most_keys: int) -> Binned:
    """What the bins of tables add up to.

    Args:
        tables: for each which row of the sum each of its rows is, rising, and its bins.
        rows: how many rows the sum has.
        most_keys: how many bins are sorted at a time, at most, so that there is little of them
            unpacked; but those of a row are sorted together.
    """
    lengths = np.zeros(rows, dtype=np.int64)
    for places, table in tables:
        lengths[places] += np.diff(table.starts)
    some = [
        binned(*counted(*_unpacked(tables, low, high)), high - low)
        for low, high in _ranges(np.cumsum(lengths), most_keys)
    ]
    starts = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.concatenate([np.diff(each.starts) for each in some]), out=starts[1:])
    return Binned(
        starts,
        np.concatenate([each.first_bins for each in some]),
        joined([each.packed for each in some]),
        np.concatenate([each.counts for each in some]),
    )


def smallest(values: AnyIntegers) -> AnyIntegers:
    """The same, not negative, in the smallest type that holds them."""
    most = int(values.max()) if values.size else 0
    return values.astype(np.min_scalar_type(most))


def _ranges(reached: Integers, most_keys: int) -> Iterator[tuple[int, int]]:
    """Rows that have at most so many bins together, by how many all rows up to each have."""
    low = before = 0
    while low < len(reached):
        high = max(low + 1, int(np.searchsorted(reached, before + most_keys, side="right")))
        yield low, high
        low, before = high, int(reached[high - 1])


def _unpacked(
    tables: Sequence[tuple[Integers, Binned]], low: int, high: int
) -> tuple[Integers, AnyIntegers]:
    """Keys and counts of the rows from the `low`th up to, but without, the `high`th."""
    keys, counts = [], []
    for places, table in tables:
        begin, end = np.searchsorted(places, (low, high))
        starts = table.starts[begin : end + 1]
        first, last = int(starts[0]), int(starts[-1])
        heads = table.first_bins[begin:end] + ((places[begin:end] - low) << BIN_BITS) + BIN_OFFSET
        keys.append(table.packed.between(first, last).unpacked(heads, starts - first))
        counts.append(table.counts[first:last])
    return np.concatenate(keys), np.concatenate(counts)
