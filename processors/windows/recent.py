"""Keeps the newest measurements of each series in one step of a partition's time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.columns import (
    Codes,
    Extras,
    Flags,
    Floats,
    Integers,
    Rows,
)
from modeltrail.schemas.columns import Longs, doubles, longs
from modeltrail.schemas.events import RecentMetric
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import in_range

MOST = 1000
# Fewer rows than this are not worth looking for those that are too old.
_SLACK = 1 << 15

AnyFloats = npt.NDArray[np.floating[Any]]
Described = tuple[Longs, Longs, tuple[RecentMetric, ...]]
"""Append times (ms) and offsets of the measurements of a series, its metrics by name."""


@dataclass(slots=True)
class _Part:
    """Measurements in the order of the log: only what is told of them, as narrow as it goes.

    `columns` has those measures that some row has; one value stands for a row each.
    """

    times_ms: Integers
    offsets: Integers
    series: npt.NDArray[np.int32]
    columns: dict[str, AnyFloats]
    extras: Extras

    def __len__(self) -> int:
        return len(self.times_ms)

    def where(self, chosen: Flags) -> "_Part":
        """The flagged rows."""
        if chosen.all():
            return self
        return _Part(
            self.times_ms[chosen],
            self.offsets[chosen],
            self.series[chosen],
            {
                name: column if len(column) == 1 else column[chosen]
                for name, column in self.columns.items()
            },
            self.extras.where(chosen),
        )


class Recent:
    """The newest 1,000 measurements of each series, and some that are not needed any more."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._rows = 0
        self._kept = 0

    def add(self, rows: Rows) -> None:
        """Take measurements in, at least one, in the order of the log."""
        self._parts.append(_part_of(rows))
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
    """Measurements of a step by series, told one series at a time.

    Takes `parts` apart, column by column: they and the same by series are never there as a whole.
    """

    def __init__(self, parts: list[_Part]) -> None:
        self._between: dict[int, tuple[int, int]] = {}
        if not parts:
            return
        series, order = _by_series(parts)
        heads = np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1])))
        edges = pairwise([*heads.tolist(), len(series)])
        self._between = dict(zip(series[heads].tolist(), edges, strict=True))
        self._times_ms = np.concatenate([part.times_ms for part in parts])[order]
        self._offsets = np.concatenate([part.offsets for part in parts])[order]
        self._columns = dict(_columns_of(parts, order))
        self._extras = _ExtraColumns(parts, order)

    @property
    def series(self) -> Collection[int]:
        """The codes of the series."""
        return self._between.keys()

    def of(self, code: int, metrics: Codes[str]) -> Described:
        """The newest measurements of one series."""
        low, high = self._between[code]
        columns = {
            name: values
            for name, column in self._columns.items()
            if not np.isnan(values := column[low:high]).all()
        }
        columns |= self._extras.between(low, high, metrics)
        return (
            longs(self._times_ms[low:high].tobytes()),
            longs(self._offsets[low:high].tobytes()),
            tuple(
                RecentMetric(name, doubles(columns[name].astype(np.float64).tobytes()))
                for name in sorted(columns)
            ),
        )


def _part_of(rows: Rows) -> _Part:
    kept: Flags = in_range(rows.values)
    values = np.where(kept, rows.values, np.nan)
    has_any: Flags = np.logical_or.reduce(kept, axis=1)
    return _Part(
        rows.times_ms,
        rows.offsets,
        rows.series.astype(np.int32),
        {
            name: _narrow(column)
            for name, column, is_there in zip(MEASURES, values, has_any, strict=True)
            if is_there
        },
        rows.extras,
    )


def _narrow(column: Floats) -> AnyFloats:
    """The same values in fewer bytes where all of them fit; always a copy."""
    # Bits, not numbers: the two zeros are equal.
    bits = column.view(np.int64)
    if (bits == bits[0]).all():
        return column[:1].copy()
    single = column.astype(np.float32)
    return single if np.array_equal(single, column, equal_nan=True) else column.copy()


def _columns_of(parts: list[_Part], order: Integers) -> Iterator[tuple[str, AnyFloats]]:
    """The columns that some part has, by series; the parts have them no more."""
    for name in MEASURES:
        if not any(name in part.columns for part in parts):
            continue
        missing = np.full(1, np.nan, np.float32)
        pieces = [np.broadcast_to(part.columns.pop(name, missing), len(part)) for part in parts]
        yield name, np.concatenate(pieces)[order]


def _by_series(parts: list[_Part]) -> tuple[npt.NDArray[np.int32], Integers]:
    """The series of all rows, rising, and which row each is: in the order of the log."""
    series = np.concatenate([part.series for part in parts])
    order = np.argsort(series, kind="stable")
    return series[order], order


class _ExtraColumns:
    """Values of metrics without a column, in the order of the rows."""

    def __init__(self, parts: list[_Part], order: Integers) -> None:
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

    def between(self, low: int, high: int, metrics: Codes[str]) -> dict[str, AnyFloats]:
        """A column for each metric that the rows from `low` up to `high` have."""
        begin, end = np.searchsorted(self._places, (low, high))
        if begin == end:
            return {}
        places, codes, values = (
            column[begin:end] for column in (self._places, self._metrics, self._values)
        )
        columns: dict[str, AnyFloats] = {}
        for code in np.unique(codes).tolist():
            column = np.full(high - low, np.nan)
            mine = codes == code
            column[places[mine] - low] = values[mine]
            columns[metrics[code]] = column
        return columns
