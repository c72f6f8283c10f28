"""Goes through the datums of a decoded frame field by field, and says where each one ends.

A reader that took a wrong step in one datum would be in the midst of its neighbour with the next.
A step is told where a field begins in each row and gives where it ends: by its value, or by the
bytes that lie there. A fetch may be as few as ten rows, so a step that numpy can take in a few
microseconds is not left to polars, which takes ten times that to begin.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modeltrail.schemas.datum_size import fixed_size, size_or_none, type_name
from modeltrail.schemas.polars_types import split_nullable

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Sizes = Places | int
SizesOf = Callable[[pl.Series], Sizes]
"""The size of each value of a column, whatever it is where the value is null."""
Step = Callable[[Octets, Places, pl.Series], Places | None]
"""(the bytes of all rows, where the field begins in each, its values) to where it ends in each.

None: the bytes that choose, for union and boolean, are not as the specification has them. A place
may be anywhere, even beyond the bytes, if an earlier field was misread.
"""

# The bits that a byte of choice has set in none of its values: 0 and 2 (branch 1), or 0 and 1.
_NEVER_IN_BRANCH, _NEVER_IN_BOOLEAN = 0b1111_1101, 0b1111_1110
_BRANCHES = (0, 2)
# Those of the length of a short string: it takes one byte, and is not negative.
_NEVER_IN_SHORT = 0b1000_0001
# The least zigzag numbers that take two bytes, three, and so on.
_LEAST = np.array([1 << 7 * size for size in range(1, 10)], dtype=np.uint64)


def datum_steps(schema: Any) -> tuple[tuple[str, Step], ...]:
    """The fields of a parsed record schema in their order, and the step over each.

    Raises:
        TypeError: what polars does not read: maps, unions of three, named references, and enums
            that may be null or lie inside another type; and booleans and unions that do, which
            it reads without looking whether they are right.
    """
    return tuple((field["name"], _step(field["type"])) for field in schema["fields"])


def _step(kind: Any) -> Step:
    inner, nullable = split_nullable(kind)
    name, fixed = type_name(inner), fixed_size(inner)
    if nullable:
        return partial(_over_union, _BRANCHES[kind.index(inner)], _sizes_of(inner))
    if name == "boolean":
        return _over_boolean
    if name == "enum":
        # Its number takes one byte below 64; a higher one only costs the slower decoder.
        return partial(_over_fixed, 1)
    if fixed is not None:
        return partial(_over_fixed, fixed)
    if name == "string":
        return _over_string
    if name == "array":
        return partial(_over_array, _sizes_of(inner))
    return partial(_over_values, _sizes_of(inner))


def _over_fixed(size: int, _octets: Octets, begin: Places, _values: pl.Series) -> Places:
    return begin + size


def _over_boolean(octets: Octets, begin: Places, _values: pl.Series) -> Places | None:
    return None if np.bitwise_or.reduce(_at(octets, begin)) & _NEVER_IN_BOOLEAN else begin + 1


def _over_union(
    branch: int, sizes: SizesOf, octets: Octets, begin: Places, values: pl.Series
) -> Places | None:
    chosen = _at(octets, begin)
    if np.bitwise_or.reduce(chosen) & _NEVER_IN_BRANCH:
        return None
    there = chosen == branch
    return begin + 1 + there * sizes(values) if there.any() else begin + 1


def _over_string(octets: Octets, begin: Places, values: pl.Series) -> Places:
    lengths = _at(octets, begin)
    if np.bitwise_or.reduce(lengths) & _NEVER_IN_SHORT:
        return begin + _sizes_of("string")(values)
    return begin + 1 + (lengths >> 1)


def _over_array(sizes: SizesOf, octets: Octets, begin: Places, values: pl.Series) -> Places:
    are_empty = not np.bitwise_or.reduce(_at(octets, begin))
    return begin + 1 if are_empty else begin + sizes(values)


def _over_values(sizes: SizesOf, _octets: Octets, begin: Places, values: pl.Series) -> Places:
    return begin + sizes(values)


def _at(octets: Octets, places: Places) -> Octets:
    # Clipped, because a place that is wrong is found when the datum ends elsewhere.
    return octets.take(places, mode="clip")


def _sizes_of(kind: Any) -> SizesOf:
    if (fixed := fixed_size(kind)) is not None:
        return lambda _values: fixed
    if type_name(kind) in ("int", "long"):
        return _long_sizes
    size = size_or_none(kind, pl.first())
    return lambda values: values.to_frame().select(size).to_series().to_numpy()


def _long_sizes(values: pl.Series) -> Sizes:
    if values.null_count():
        values = values.fill_null(0)
    numbers = values.cast(pl.Int64).to_numpy()
    zigzag = ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)
    fewest, most = np.searchsorted(_LEAST, (zigzag.min(), zigzag.max()), side="right").tolist()
    if fewest == most:
        return int(most) + 1
    return np.searchsorted(_LEAST, zigzag, side="right") + 1
