"""Keeps the newest measurements of each series in one step of a partition's time."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from modeltrail.processors.windows.columns import (
    Codes,
    Flags,
    Floats,
    Integers,
    Rows,
)
from modeltrail.schemas.events import RecentMetric
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import in_range

MOST = 1000
# Fewer rows than this are not worth looking for those that are too old.
_SLACK = 1 << 15

Described = tuple[int, Integers, Integers, tuple[RecentMetric, ...]]
"""A series, append times (ms) and offsets of its measurements, its metrics by name."""


class Recent:
    """The newest 1,000 measurements of each series, and some that are not needed any more."""

    def __init__(self) -> None:
        self._parts: list[Rows] = []
        self._rows = 0
        self._kept = 0

    def add(self, rows: Rows) -> None:
        """Take measurements in, in the order of the log."""
        self._parts.append(rows)
        self._rows += len(rows)
        if self._rows > 2 * self._kept + _SLACK:
            self._drop_old()

    def described(self, metrics: Codes[str]) -> Iterator[Described]:
        """The newest measurements of each series."""
        if not self._rows:
            return
        self._drop_old()
        series, order = self._by_series()
        heads = np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1])))
        standard = list(self._columns(order, heads))
        extras = _ExtraColumns(self._parts, order)
        times_ms = np.concatenate([part.times_ms for part in self._parts])[order]
        offsets = np.concatenate([part.offsets for part in self._parts])[order]
        for number, (low, high) in enumerate(pairwise([*heads.tolist(), len(series)])):
            columns = {
                name: tuple(values[low:high]) for name, values, has in standard if has[number]
            }
            columns |= extras.between(low, high, metrics)
            yield (
                int(series[low]),
                times_ms[low:high],
                offsets[low:high],
                tuple(RecentMetric(name, columns[name]) for name in sorted(columns)),
            )

    def _by_series(self) -> tuple[Integers, Integers]:
        """The series of all rows, rising, and which row each is: in the order of the log."""
        series = np.concatenate([part.series for part in self._parts])
        order = np.argsort(series, kind="stable")
        return series[order], order

    def _drop_old(self) -> None:
        series, order = self._by_series()
        ends = np.flatnonzero(np.concatenate((series[1:] != series[:-1], [True])))
        end_of = np.repeat(ends, np.diff(ends, prepend=-1))
        newest: Flags = np.empty(len(series), dtype=np.bool_)
        newest[order] = end_of - np.arange(len(series)) < MOST
        edges = np.cumsum([len(part) for part in self._parts])[:-1]
        chosen = zip(self._parts, np.split(newest, edges), strict=True)
        self._parts = [part.where(flags) for part, flags in chosen if flags.any()]
        self._rows = self._kept = int(np.count_nonzero(newest))

    def _columns(
        self, order: Integers, heads: Integers
    ) -> Iterator[tuple[str, list[float], list[bool]]]:
        """(name, values by series, which series have any) of each measure."""
        # One at a time: all of them beside their copy would be the worker's largest memory.
        for number, name in enumerate(MEASURES):
            column = np.concatenate([part.values[number] for part in self._parts])[order]
            kept = in_range(column)
            if kept.any():
                column[~kept] = np.nan
                yield name, column.tolist(), np.logical_or.reduceat(kept, heads).tolist()


class _ExtraColumns:
    """Values of metrics without a column, in the order of the rows."""

    def __init__(self, parts: list[Rows], order: Integers) -> None:
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

    def between(self, low: int, high: int, metrics: Codes[str]) -> dict[str, tuple[float, ...]]:
        """A column for each metric that the rows from `low` up to `high` have."""
        begin, end = np.searchsorted(self._places, (low, high))
        if begin == end:
            return {}
        places, codes, values = (
            column[begin:end] for column in (self._places, self._metrics, self._values)
        )
        columns = {}
        for code in np.unique(codes).tolist():
            column = np.full(high - low, np.nan)
            mine = codes == code
            column[places[mine] - low] = values[mine]
            columns[metrics[code]] = tuple(column.tolist())
        return columns
