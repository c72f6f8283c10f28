"""Keeps the newest 1,000 measurements of each series, and describes their metrics.

Newest by (append time, partition, offset), and appended in the hour before the cut. Values are
kept, not counted: one that leaves could not be taken out of a minimum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.described import described, shape_of
from modeltrail.processors.windows.series import Series, each_series
from modeltrail.processors.windows.sketches import Floats, Integers
from modeltrail.schemas.events import MetricWindow, RecentMeasurements
from modeltrail.schemas.sketch import fixed_point

Array = TypeVar("Array", Floats, Integers)

MOST = 1000
# As soon as so many have come for a cut, those whose place they take are let go.
_MANY = MOST // 2
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Measurements: `values` has a row a metric and a column a measurement, NaN where none."""

    appended_ms: Integers
    partitions: npt.NDArray[np.int32]
    offsets: Integers
    names: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.appended_ms)


def rows_of(recent: RecentMeasurements) -> Iterator[tuple[Series, Rows]]:
    """Each series of a fact and its measurements.

    As copies: a view would keep the columns of all series for as long as one of them is kept.
    """
    appended_ms, offsets = np.asarray(recent.appended_ms), np.asarray(recent.offsets)
    values = np.asarray(recent.values)
    row = metric = value = 0
    for series, count, metrics in zip(
        each_series(recent), recent.measurements, recent.metrics_each, strict=True
    ):
        places = recent.metrics[metric : metric + metrics]
        yield (
            series,
            Rows(
                appended_ms[row : row + count].copy(),
                np.full(count, recent.source_partition, dtype=np.int32),
                offsets[row : row + count].copy(),
                tuple(map(recent.metric_names.__getitem__, places)),
                values[value : value + count * metrics].reshape(metrics, count).copy(),
            ),
        )
        row += count
        metric += metrics
        value += count * metrics


class Arriving:
    """The newest measurements of each series in what has come for one cut."""

    def __init__(self) -> None:
        self._rows: dict[Series, list[Rows]] = {}

    def add(self, recent: RecentMeasurements) -> list[tuple[Series, int]]:
        """Take what a source partition says; that it says it again changes nothing.

        Returns:
            The series of which many have come by now, and how many: they take the place of as many
            older ones.
        """
        many = []
        for series, rows in rows_of(recent):
            held = self._rows.setdefault(series, [])
            before = sum(map(len, held))
            held.append(rows)
            if before < _MANY <= before + len(rows) or before + len(rows) >= MOST:
                held[:] = [_newest(held)]
                many.append((series, len(held[0])))
        return many

    def taken(self) -> Iterator[tuple[Series, Rows]]:
        """At most 1,000 of each series, oldest first; they are here no more once they are given."""
        while self._rows:
            series, rows = self._rows.popitem()
            yield series, _newest(rows)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest measurements of one series, oldest first; a metric that none has is left out.

    `totals` has a row a metric: count, and the sum as whole number and fraction. Only what enters
    and what leaves is added up, in integers, so it is what adding up all of them gives.
    """

    appended_ms: Integers
    names: tuple[str, ...]
    values: Floats
    totals: Integers

    def aligned(self, names: tuple[str, ...]) -> "Newest":
        """The same with a metric for each of `names`, which hold all of its own."""
        return Newest(
            self.appended_ms,
            names,
            _aligned(names, self.names, self.values, np.nan),
            _aligned(names, self.names, self.totals, 0),
        )

    def after(self, first: int) -> "Newest":
        """Without the first ones, which take no room any more."""
        return _narrowed(
            self.appended_ms[first:].copy(),
            self.names,
            self.values[:, first:].copy(),
            self.totals - _totals(self.values[:, :first]),
        )


class Last1000:
    """The newest measurements of every series."""

    def __init__(self) -> None:
        self._newest: dict[Series, Newest] = {}
        # What is known of those that have not changed since.
        self._metrics: dict[Series, tuple[MetricWindow, ...]] = {}

    def absorb(self, fresh: Arriving, cut_ms: int) -> None:
        """Take what was appended since the last cut; forget what is older than an hour."""
        for series, rows in fresh.taken():
            self._set(series, _with(self._newest.get(series), rows))
        for series, newest in list(self._newest.items()):
            if newest.appended_ms[0] <= cut_ms - HOUR_MS:
                old = int(np.searchsorted(newest.appended_ms, cut_ms - HOUR_MS, side="right"))
                self._set(series, newest.after(old))

    def make_room(self, series: Series, count: int) -> None:
        """Let go of what is certain to be replaced: `count` newer ones come with the next cut."""
        newest = self._newest.get(series)
        if newest is not None and (leaving := len(newest.appended_ms) + count - MOST) > 0:
            self._set(series, newest.after(leaving))

    def described(self) -> Iterator[tuple[Series, Newest, tuple[MetricWindow, ...]]]:
        """Each series, its measurements and what its metrics come to, by series."""
        stale = [series for series in self._newest if series not in self._metrics]
        changed = map(self._newest.__getitem__, stale)
        shapes = [shape_of(each.names, each.values, each.totals) for each in changed]
        self._metrics |= dict(zip(stale, described(shapes), strict=True))
        for series in sorted(self._newest):
            yield series, self._newest[series], self._metrics[series]

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the measurements."""
        return sum(each.values.nbytes + each.appended_ms.nbytes for each in self._newest.values())

    def _set(self, series: Series, newest: Newest) -> None:
        self._metrics.pop(series, None)
        self._newest.pop(series, None)
        if newest.appended_ms.size:
            self._newest[series] = newest


def _newest(parts: Sequence[Rows]) -> Rows:
    """The newest 1,000 of some rows, at least one, oldest first; one that comes twice is one."""
    if len(parts) == 1:
        # In the order of their partition's log.
        return parts[0]
    names = tuple(sorted({name for rows in parts for name in rows.names}))
    appended_ms, partitions, offsets = (
        np.concatenate(columns)
        for columns in zip(
            *((rows.appended_ms, rows.partitions, rows.offsets) for rows in parts), strict=True
        )
    )
    order = np.lexsort((offsets, partitions, appended_ms))
    # A row has one append time, so the same rows are side by side.
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(offsets[order]) != 0) | (np.diff(partitions[order]) != 0)
    order = order[first][-MOST:]
    values = np.concatenate(
        [_aligned(names, rows.names, rows.values, np.nan) for rows in parts], axis=1
    )
    return Rows(
        appended_ms[order], partitions[order], offsets[order], names, values.take(order, axis=1)
    )


def _with(newest: Newest | None, fresh: Rows) -> Newest:
    """The newest of what there was and of what came after all of that."""
    if newest is None or len(fresh.appended_ms) == MOST:
        return _narrowed(fresh.appended_ms, fresh.names, fresh.values, _totals(fresh.values))
    names = tuple(sorted({*fresh.names, *newest.names}))
    values = _aligned(names, fresh.names, fresh.values, np.nan)
    appended_ms, totals = fresh.appended_ms, _totals(values)
    before = newest.aligned(names)
    leaving = max(0, len(before.appended_ms) + len(appended_ms) - MOST)
    appended_ms = np.concatenate((before.appended_ms[leaving:], appended_ms))
    totals = totals + before.totals - _totals(before.values[:, :leaving])
    values = np.concatenate((before.values[:, leaving:], values), axis=1)
    return _narrowed(appended_ms, names, values, totals)


def _totals(values: Floats) -> Integers:
    missing = np.isnan(values)
    counts = values.shape[1] - np.count_nonzero(missing, axis=1)
    if missing.any():
        values = np.where(missing, 0.0, values)
    wholes, fractions = fixed_point(values)
    return np.stack((counts, wholes.sum(axis=1), fractions.sum(axis=1)), axis=1)


def _aligned(names: tuple[str, ...], given: tuple[str, ...], table: Array, missing: float) -> Array:
    if names == given:
        return table
    place = {name: index for index, name in enumerate(names)}
    aligned = np.full_like(table, missing, shape=(len(names), table.shape[1]))
    aligned[[place[name] for name in given]] = table
    return aligned


def _narrowed(
    appended_ms: Integers, names: tuple[str, ...], values: Floats, totals: Integers
) -> Newest:
    """Without the metrics that no measurement has any more."""
    there = totals[:, 0] > 0
    if there.all():
        return Newest(appended_ms, names, values, totals)
    left = tuple(name for name, is_there in zip(names, there, strict=True) if is_there)
    return Newest(appended_ms, left, values[there], totals[there])
