"""Keeps the newest measurements of one series in a ring: what comes takes the place of what goes.

So a series that is full is written to in place, and its measurements are not moved. Their order in
the ring is that of their coming, only begun anywhere.
"""

from collections.abc import Sequence

import numpy as np

from modeltrail.processors.windows.arriving import MOST, Rows, aligned
from modeltrail.processors.windows.sketches import Floats, Integers
from modeltrail.schemas.sketch import fixed_point

# A ring that grows gets so much more room than it needs, so that it is not moved each time.
_SLACK = 16


class Ring:
    """At most 1,000 measurements, at least one; a metric that none has is left out.

    Args:
        rows: the measurements; their arrays are its own from now on.
        totals: of their values.

    Attributes:
        names: of the metrics.
        totals: a row a metric: count, and the sum as whole number and fraction. Only what enters
            and what leaves is added up, in integers, so it is what adding up all of them gives.
        values: a row a metric and a column a place, NaN where there is no value; anything in a
            free place.
    """

    __slots__ = ("_appended_ms", "_first", "_held", "names", "totals", "values")

    def __init__(self, rows: Rows, totals: Integers) -> None:
        self.names, self.totals, self.values = rows.names, totals, rows.values
        self._appended_ms = rows.appended_ms
        self._first, self._held = 0, len(rows)
        self._narrow()

    def __len__(self) -> int:
        return self._held

    @property
    def oldest_ms(self) -> int:
        """When the oldest measurement was appended."""
        return int(self._appended_ms[self._first])

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the measurements."""
        return self.values.nbytes + self._appended_ms.nbytes

    def appended_by(self, time_ms: int) -> int:
        """How many were appended by a time."""
        if self.oldest_ms > time_ms:
            return 0
        rising = np.concatenate([self._appended_ms[part] for part in self._oldest(self._held)])
        return int(np.searchsorted(rising, time_ms, side="right"))

    def too_many(self, count: int) -> int:
        """How many have to go for `count` newer ones."""
        return max(0, self._held + count - MOST)

    def oldest(self, count: int) -> Floats:
        """The values of the oldest ones: a row a metric and a column a measurement."""
        high, low = self._oldest(count)
        if not low.stop:
            return self.values[:, high]
        return np.concatenate((self.values[:, high], self.values[:, low]), axis=1)

    def held(self) -> Floats:
        """All values: a row a metric and a column a measurement, in any order."""
        return self.values if self._held == len(self._appended_ms) else self.oldest(self._held)

    def push(self, rows: Rows, came: Integers, left: Integers) -> None:
        """Take newer measurements, fewer than 1,000, in place of the oldest that are too many.

        Args:
            rows: they are newer than all that is here.
            came: their totals.
            left: the totals of the oldest that have to go for them.
        """
        self._forget(self.too_many(len(rows)), left)
        if rows.names != self.names:
            self._widen(tuple(sorted({*self.names, *rows.names})))
        needed = self._held + len(rows)
        if needed > len(self._appended_ms):
            self._move(min(MOST, needed + needed // _SLACK))
        begin = (self._first + self._held) % len(self._appended_ms)
        middle = min(len(rows), len(self._appended_ms) - begin)
        self._write(begin, rows, 0, middle)
        self._write(0, rows, middle, len(rows))
        self._held = needed
        if rows.names == self.names:
            self.totals += came
        else:
            self.totals[self._rows_of(rows.names)] += came
        self._narrow()

    def drop(self, count: int, left: Integers) -> None:
        """Without the `count` oldest, fewer than all, of which `left` are the totals."""
        self._forget(count, left)
        self._narrow()
        # A bit more than what it grows by, so that few that come and go move nothing.
        if self._held + self._held // _SLACK * 2 < len(self._appended_ms):
            self.fit()

    def fit(self) -> None:
        """Take no more room than is needed."""
        if self._held < len(self._appended_ms):
            self._move(self._held)

    def _forget(self, count: int, left: Integers) -> None:
        """The oldest ones: their places are free."""
        if count:
            self.totals -= left
            self._first = (self._first + count) % len(self._appended_ms)
            self._held -= count

    def _write(self, begin: int, rows: Rows, low: int, high: int) -> None:
        """Rows from the `low`th up to the `high`th, side by side; their places are free."""
        if low == high:
            return
        places = slice(begin, begin + high - low)
        self._appended_ms[places] = rows.appended_ms[low:high]
        self.values[:, places] = aligned(self.names, rows.names, rows.values[:, low:high])

    def _move(self, capacity: int) -> None:
        """To as many places, at least as many as are held."""
        values = np.empty((len(self.names), capacity))
        appended_ms = np.empty(capacity, dtype=np.int64)
        end = 0
        for part in self._oldest(self._held):
            begin, end = end, end + part.stop - part.start
            values[:, begin:end] = self.values[:, part]
            appended_ms[begin:end] = self._appended_ms[part]
        self.values, self._appended_ms, self._first = values, appended_ms, 0

    def _widen(self, names: tuple[str, ...]) -> None:
        """Have a metric for each of `names`, which hold all of its own."""
        if names == self.names:
            return
        totals = np.zeros((len(names), 3), dtype=np.int64)
        self.values = aligned(names, self.names, self.values)
        self.names, before = names, self.names
        totals[self._rows_of(before)] = self.totals
        self.totals = totals

    def _narrow(self) -> None:
        """Without the metrics that no measurement has any more."""
        there = self.totals[:, 0] > 0
        if not there.all():
            self.names = tuple(
                name for name, is_there in zip(self.names, there, strict=True) if is_there
            )
            self.values, self.totals = self.values[there], self.totals[there]

    def _oldest(self, count: int) -> tuple[slice, slice]:
        """Where the oldest ones are: some up to the end of the ring, and the rest at its begin."""
        end = self._first + count
        places = len(self._appended_ms)
        return slice(self._first, min(end, places)), slice(0, max(0, end - places))

    def _rows_of(self, names: tuple[str, ...]) -> list[int]:
        return list(map(self.names.index, names))


def totals_of(blocks: Sequence[Floats]) -> list[Integers]:
    """The totals of each block of values, (metrics, 3), for many blocks at once.

    Args:
        blocks: a row a metric and a column a measurement; NaN is none.
    """
    metrics = [len(block) for block in blocks]
    totals = np.zeros((sum(metrics), 3), dtype=np.int64)
    lengths = np.repeat([block.shape[1] for block in blocks], metrics)
    filled = np.flatnonzero(lengths)
    if filled.size:
        values = np.concatenate([block.ravel() for block in blocks])
        heads = (np.cumsum(lengths) - lengths)[filled]
        missing = np.isnan(values)
        if missing.any():
            values[missing] = 0.0
            lengths[filled] -= np.add.reduceat(missing, heads, dtype=np.int64)
        totals[:, 0] = lengths
        for column, parts in enumerate(fixed_point(values), start=1):
            totals[filled, column] = np.add.reduceat(parts, heads)
    return np.split(totals, np.cumsum(metrics))[:-1]
