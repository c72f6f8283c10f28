"""Tells the newest measurements of a step series by series, and lets go of what was told."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.chunks import bytes_of_metric_names
from modeltrail.processors.windows.columns import Codes, Flags, Floats, Integers
from modeltrail.processors.windows.kept import AnyFloats, Kept, column_of
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import in_range

# What is told is let go of in so many rows, 4 MB or less.
_BLOCK_ROWS = 1 << 15
# Append time and offset in Avro, about.
_PLACE_BYTES = 10

InOrder = Callable[[Iterable[int]], list[int]]
"""Brings codes of series in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Told:
    """The measurements of a series, oldest first: append times (ms), offsets and values.

    `values` has a row a metric, in the order of `names`, and a column a measurement.
    """

    series: int
    times_ms: Integers
    offsets: Integers
    names: tuple[str, ...]
    values: Floats

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes to tell them, without the names of the series."""
        places = len(self.times_ms) * _PLACE_BYTES
        return self.values.nbytes + places + bytes_of_metric_names(self.names)


def told(parts: list[Kept], in_order: InOrder, metrics: Codes[str]) -> Iterator[Told]:
    """The measurements of each series.

    Takes `parts` apart, column by column, and lets go of what was told: where there are many
    series, whoever takes these in needs the room.
    """
    codes = in_order(np.unique(np.concatenate([np.unique(part.series) for part in parts])).tolist())
    ranks = np.empty(max(codes) + 1, dtype=np.int32)
    ranks[codes] = np.arange(len(codes), dtype=np.int32)
    series, order = by_series([ranks[part.series] for part in parts])
    heads = np.searchsorted(series, np.arange(len(codes) + 1))
    extras = _ExtraColumns(parts, order, heads)
    blocks = _blocks(parts, order, heads)
    while blocks:
        first, block = blocks.popleft()
        low = int(heads[first])
        times_ms, offsets = block.places
        block_names = tuple(sorted(block.columns))
        values = np.empty((len(block_names), len(times_ms)))
        for row, name in zip(values, block_names, strict=True):
            row[:] = block.columns.pop(name)
        is_partial = bool(np.isnan(values).any())
        for place in range(first, first + block.series):
            begin, end = heads[place : place + 2].tolist()
            mine = slice(begin - low, end - low)
            names, found = block_names, values[:, mine]
            if is_partial:
                names, found = _measured(names, found)
            if more := extras.of(place, metrics):
                names, found = _with_extras(names, found, more)
            yield Told(codes[place], times_ms[mine], offsets[mine], names, found)


def _measured(names: tuple[str, ...], values: Floats) -> tuple[tuple[str, ...], Floats]:
    """Without the metrics that none has."""
    there: Flags = np.logical_not(np.isnan(values).all(axis=1))
    if there.all():
        return names, values
    return tuple(compress(names, there.tolist())), values[there]


def _with_extras(
    names: tuple[str, ...], values: Floats, extras: dict[str, Floats]
) -> tuple[tuple[str, ...], Floats]:
    columns = dict(zip(names, values, strict=True)) | extras
    names = tuple(sorted(columns))
    return names, np.stack([columns[name] for name in names])


@dataclass(slots=True)
class _Block:
    """The measurements of so many series that follow each other, series by series.

    `places` are their append times and offsets.
    """

    series: int
    places: list[Integers]
    columns: dict[str, AnyFloats]


def _blocks(parts: list[Kept], order: Integers, heads: Integers) -> deque[tuple[int, _Block]]:
    """All of it in blocks, each with the number of its first series.

    Args:
        parts: measurements; they have no columns after this.
        order: their rows by series.
        heads: where in that the first of each series is, and the end.
    """
    rows = np.arange(0, len(order), _BLOCK_ROWS)
    firsts = np.unique(np.searchsorted(heads, rows, side="right") - 1)
    edges = heads[firsts[1:]]
    blocks = deque(
        (int(first), _Block(int(size), [], {}))
        for first, size in zip(firsts, np.diff(firsts, append=len(heads) - 1), strict=True)
    )
    for column in (
        np.concatenate([part.times_ms for part in parts]),
        np.concatenate([part.offsets for part in parts]),
    ):
        for (_, block), mine in zip(blocks, np.split(column[order], edges), strict=True):
            block.places.append(mine.copy())
    for name, column in _columns_of(parts, order):
        for (_, block), values in zip(blocks, np.split(column, edges), strict=True):
            block.columns[name] = values.copy()
    return blocks


def _columns_of(parts: list[Kept], order: Integers) -> Iterator[tuple[str, AnyFloats]]:
    """The columns that some part has, by series; the parts have them no more."""
    for name in MEASURES:
        if not any(name in part.columns for part in parts):
            continue
        column = column_of(name, parts)[order]
        for part in parts:
            part.columns.pop(name, None)
        yield name, column


def by_series(parts: list[npt.NDArray[np.int32]]) -> tuple[npt.NDArray[np.int32], Integers]:
    """The series of all rows, rising, and which row each is: in the order of the log."""
    series = np.concatenate(parts)
    # Numbers of 16 bits are sorted in a sixth of the time that wider ones take.
    narrow = series.astype(np.min_scalar_type(series.max(initial=0)))
    order = np.argsort(narrow, kind="stable")
    return series[order], order


class _ExtraColumns:
    """Values of metrics without a column, series by series.

    Args:
        parts: measurements.
        order: their rows by series.
        heads: where in that the first of each series is, and the end.
    """

    def __init__(self, parts: list[Kept], order: Integers, heads: Integers) -> None:
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        before = np.cumsum([0, *(len(part) for part in parts[:-1])])
        owners = places[
            np.concatenate(
                [part.extras.rows + shift for part, shift in zip(parts, before, strict=True)]
            )
        ]
        values = np.concatenate([part.extras.values for part in parts])
        kept = np.flatnonzero(in_range(values))
        by_place = kept[np.argsort(owners[kept], kind="stable")]
        self._places = owners[by_place]
        self._metrics = np.concatenate([part.extras.metrics for part in parts])[by_place]
        self._values: Floats = values[by_place]
        self._heads = heads
        # Asked once for all: most series have no such metric, and there are thousands.
        self._edges: list[int] = np.searchsorted(self._places, heads).tolist()

    def of(self, number: int, metrics: Codes[str]) -> dict[str, Floats]:
        """A column for each metric that the rows of a series have."""
        begin, end = self._edges[number : number + 2]
        if begin == end:
            return {}
        low, high = self._heads[number : number + 2].tolist()
        places, codes, values = (
            column[begin:end] for column in (self._places, self._metrics, self._values)
        )
        columns: dict[str, Floats] = {}
        for code in np.unique(codes).tolist():
            column = np.full(high - low, np.nan)
            mine = codes == code
            column[places[mine] - low] = values[mine]
            columns[metrics[code]] = column
        return columns
