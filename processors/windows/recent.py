"""Keeps the newest measurements of each series in one step of a partition's time."""

from collections.abc import Collection
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

Described = tuple[Integers, Integers, tuple[RecentMetric, ...]]
"""Append times (ms) and offsets of the measurements of a series, its metrics by name."""


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

    def newest(self) -> "NewestBySeries":
        """The newest measurements of each series, which are here no more."""
        if self._rows:
            self._drop_old()
        parts, self._parts, self._rows = self._parts, [], 0
        return NewestBySeries(parts)

    def _drop_old(self) -> None:
        series, order = _by_series(self._parts)
        ends = np.flatnonzero(np.concatenate((series[1:] != series[:-1], [True])))
        end_of = np.repeat(ends, np.diff(ends, prepend=-1))
        newest: Flags = np.empty(len(series), dtype=np.bool_)
        newest[order] = end_of - np.arange(len(series)) < MOST
        edges = np.cumsum([len(part) for part in self._parts])[:-1]
        chosen = zip(self._parts, np.split(newest, edges), strict=True)
        self._parts = [part.where(flags) for part, flags in chosen if flags.any()]
        self._rows = self._kept = int(np.count_nonzero(newest))


class NewestBySeries:
    """Measurements of a step by series, told one series at a time: as objects they are large."""

    def __init__(self, parts: list[Rows]) -> None:
        self._between: dict[int, tuple[int, int]] = {}
        if not parts:
            return
        series, self._order = _by_series(parts)
        heads = np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1])))
        edges = pairwise([*heads.tolist(), len(series)])
        self._between = dict(zip(series[heads].tolist(), edges, strict=True))
        self._times_ms = np.concatenate([part.times_ms for part in parts])
        self._offsets = np.concatenate([part.offsets for part in parts])
        self._values = np.concatenate([part.values for part in parts], axis=1)
        self._extras = _ExtraColumns(parts, self._order)

    @property
    def series(self) -> Collection[int]:
        """The codes of the series."""
        return self._between.keys()

    def of(self, code: int, metrics: Codes[str]) -> Described:
        """The newest measurements of one series."""
        low, high = self._between[code]
        rows = self._order[low:high]
        values = self._values[:, rows]
        kept: Flags = in_range(values)
        values[~kept] = np.nan
        measured = np.logical_or.reduce(kept, axis=1).tolist()
        columns = {
            name: tuple(column)
            for name, column, has_any in zip(MEASURES, values.tolist(), measured, strict=True)
            if has_any
        }
        columns |= self._extras.between(low, high, metrics)
        return (
            self._times_ms[rows],
            self._offsets[rows],
            tuple(RecentMetric(name, columns[name]) for name in sorted(columns)),
        )


def _by_series(parts: list[Rows]) -> tuple[Integers, Integers]:
    """The series of all rows, rising, and which row each is: in the order of the log."""
    series = np.concatenate([part.series for part in parts])
    order = np.argsort(series, kind="stable")
    return series[order], order


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
