"""Answers how the numbers of a window are kept: integers that merge in any order.

A value's bin is its sign and the first 18 bits of its magnitude as a float64: its binary exponent
and 7 bits of its mantissa, so 128 linear bins in each power of two. A bin is at most 1/128 of its
lower bound wide and its middle within 0.4 % of every value in it, for normal numbers; smaller ones
(under 2.3e-308) are in the two bins next to zero. The scheme follows DDSketch (Masson, Rim, Lee:
"DDSketch", PVLDB 12, 2019) with a logarithm that costs one shift, here and in SQL:
`bitShiftRight(reinterpretAsUInt64(abs(v)), 45)`.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bins = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_SHIFT = 45
_MAGNITUDE = (1 << 63) - 1
FRACTION_BITS = 40
FRACTION_UNIT = 2.0**-FRACTION_BITS
_FRACTION_MASK = (1 << FRACTION_BITS) - 1
#: A window takes no value of this magnitude or more: its sum might not fit 64 bits.
RANGE_LIMIT = 2.0**42


def in_range(values: Floats) -> Flags:
    """Which values a window takes; NaN and infinite ones are out of range too."""
    flags: Flags = np.abs(values) < RANGE_LIMIT
    return flags


def bins_of(values: Floats) -> Bins:
    """The bin of each finite value: 0 is zero's, larger values never have smaller bins."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    bits = values.view(np.int64)
    magnitude = bits & _MAGNITUDE
    bins = ((magnitude >> _SHIFT) + 1).astype(np.int32)
    np.negative(bins, out=bins, where=bits < 0)
    bins[magnitude == 0] = 0
    return bins


def bin_bounds(number: int) -> tuple[float, float]:
    """Between which values a bin lies; the bound nearer to zero is in it, the other is not.

    Zero's bin is (0, 0); the outer bound of the last bin is infinite.
    """
    if number == 0:
        return 0.0, 0.0
    inner, outer = (
        float(np.int64(magnitude << _SHIFT).view(np.float64))
        for magnitude in (abs(number) - 1, abs(number))
    )
    return (inner, outer) if number > 0 else (-outer, 0.0 - inner)


def bin_middle(number: int) -> float:
    """The value that stands for a bin."""
    low, high = bin_bounds(number)
    return (low + high) / 2


def snapped(edge: float) -> float:
    """The boundary of a bin that is nearest to a finite `edge`."""
    low, high = bin_bounds(int(bins_of(np.array([edge]))[0]))
    return low if edge - low <= high - edge else high


def counts_over(bins: npt.ArrayLike, counts: npt.ArrayLike, edges: npt.ArrayLike) -> Integers:
    """Count by edges: n rising inner edges, each snapped, make n + 1 counts.

    A value on an edge counts to the side that is away from zero, and zero to the right of an edge
    at zero; so the counts are exact for the snapped edges.
    """
    starts = np.array([_first_right_of(snapped(float(edge))) for edge in np.asarray(edges)], int)
    totals = np.zeros(len(starts) + 1, dtype=np.int64)
    np.add.at(totals, np.searchsorted(starts, np.asarray(bins, int), side="right"), counts)
    return totals


def _first_right_of(boundary: float) -> int:
    number = int(bins_of(np.array([boundary]))[0])
    return number + 1 if boundary < 0 else number


def merged(parts: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]]) -> tuple[Bins, Integers]:
    """One histogram of many: its bins rise and none is empty; the order of `parts` is nothing."""
    pairs = [(np.asarray(bins, np.int32), np.asarray(counts, np.int64)) for bins, counts in parts]
    if not pairs:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    bins = np.concatenate([pair[0] for pair in pairs])
    counts = np.concatenate([pair[1] for pair in pairs])
    distinct, places = np.unique(bins, return_inverse=True)
    totals = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(totals, places, counts)
    return distinct[totals > 0], totals[totals > 0]


def quantile(
    bins: npt.ArrayLike, counts: npt.ArrayLike, q: float, minimum: float, maximum: float
) -> float:
    """The value of nearest rank ceil(q n), within 0.4 % of it.

    Args:
        bins: rising.
        counts: how many values each bin holds, n in all, at least 1.
        q: 0 to 1.
        minimum: the least of the values.
        maximum: the greatest of the values.
    """
    reached: Any = np.cumsum(np.asarray(counts, np.int64))
    rank = max(1, math.ceil(q * int(reached[-1])))
    number = int(np.asarray(bins)[np.searchsorted(reached, rank)])
    return min(max(bin_middle(number), minimum), maximum)


def fixed_point(values: Floats) -> tuple[Integers, Integers]:
    """Each value in range as a whole number and 2^-40ths above it, 0 to 2^40, to be summed."""
    whole = np.floor(values)
    fraction = np.rint((values - whole) * (1 << FRACTION_BITS))
    return whole.astype(np.int64), fraction.astype(np.int64)


def normalised(whole: int, fraction: int) -> tuple[int, int]:
    """The same sum with its fraction under 2^40: equal sums are equal pairs."""
    return whole + (fraction >> FRACTION_BITS), fraction & _FRACTION_MASK


def mean_of(count: int, whole: int, fraction: int) -> float:
    """The mean of `count` values, at least 1, from their normalised sum."""
    return (whole + fraction * FRACTION_UNIT) / count
