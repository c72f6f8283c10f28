"""Keeps the newest 1,000 measurements of each series, and describes their metrics.

Newest by (append time, partition, offset), and appended in the hour before the cut. Values are
kept, not counted: one that leaves could not be taken out of a minimum.

Each series is described at the end of a minute, and at any other cut if a tenth of what is held
came for it: a thousand of which fifty are others are hardly worth a fact.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from modeltrail.processors.windows.arriving import MOST, Arriving, Rows
from modeltrail.processors.windows.described import Newest, described
from modeltrail.processors.windows.rings import Ring, totals_of
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.events import MetricWindow

Item = TypeVar("Item")

HOUR_MS = 3_600_000
_MINUTE_S = 60
# The share of what is held that has to be new to be described before the minute is over: 1 in 10.
_TENTH = 10
# So many values are added up at a time, so that few of them are held twice.
_AT_ONCE = 1 << 15


class Last1000:
    """The newest measurements of every series."""

    def __init__(self) -> None:
        self._newest: dict[Series, Ring] = {}
        # How many came for the last cut.
        self._fresh: dict[Series, int] = {}
        # What is known of those that have not changed since.
        self._metrics: dict[Series, tuple[MetricWindow, ...]] = {}

    def absorb(self, fresh: Arriving, cut_ms: int) -> None:
        """Take what was appended since the last cut; forget what is older than an hour."""
        self._fresh.clear()
        for rows in _by_size(fresh.taken(), lambda each: each[1].values.size):
            self._take(rows)
        old_ms = cut_ms - HOUR_MS
        every = ((*each, each[1].appended_by(old_ms)) for each in list(self._newest.items()))
        old = (each for each in every if each[2])
        for some in _by_size(old, lambda each: each[2] * len(each[1].names)):
            self._drop(some)

    def make_room(self, series: Series, count: int) -> None:
        """Let go of what is certain to be replaced: `count` newer ones come with the next cut."""
        ring = self._newest.get(series)
        if ring is not None and (leaving := ring.too_many(count)):
            self._drop([(series, ring, leaving)])
            ring.fit()

    def described(self, end_s: int) -> Iterator[tuple[Series, Ring, tuple[MetricWindow, ...]]]:
        """By series, its measurements and what its metrics come to, at a cut that decides `end_s`.

        Of every series at the end of a minute, else of those of which a tenth is new.
        """
        due = self._newest if end_s % _MINUTE_S == 0 else self._moved()
        stale = [series for series in due if series not in self._metrics]
        changed = map(self._newest.__getitem__, stale)
        kept = [Newest(ring.names, ring.totals, ring.held) for ring in changed]
        self._metrics |= dict(zip(stale, described(kept), strict=True))
        for series in sorted(due):
            yield series, self._newest[series], self._metrics[series]

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the measurements."""
        return sum(ring.nbytes for ring in self._newest.values())

    def _moved(self) -> list[Series]:
        """The series of which a tenth or more came for the last cut."""
        return [
            series
            for series, ring in self._newest.items()
            if self._fresh.get(series, 0) * _TENTH >= len(ring)
        ]

    def _take(self, fresh: list[tuple[Series, Rows]]) -> None:
        """Newer measurements of some series."""
        rings = [None if len(rows) == MOST else self._newest.get(series) for series, rows in fresh]
        blocks = [rows.values for _, rows in fresh]
        blocks += [
            ring.oldest(ring.too_many(len(rows)))
            for ring, (_, rows) in zip(rings, fresh, strict=True)
            if ring is not None
        ]
        totals = totals_of(blocks)
        left = iter(totals[len(fresh) :])
        for (series, rows), ring, came in zip(fresh, rings, totals, strict=False):
            self._metrics.pop(series, None)
            self._fresh[series] = len(rows)
            if ring is None:
                self._newest[series] = Ring(rows, came)
            else:
                ring.push(rows, came, next(left))

    def _drop(self, old: list[tuple[Series, Ring, int]]) -> None:
        """So many of the oldest of some series."""
        totals = totals_of([ring.oldest(count) for _, ring, count in old])
        for (series, ring, count), left in zip(old, totals, strict=True):
            self._metrics.pop(series, None)
            if count == len(ring):
                del self._newest[series]
            else:
                ring.drop(count, left)


def _by_size(items: Iterable[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """All of them, as many at a time as have a few values together."""
    some: list[Item] = []
    size = 0
    for item in items:
        some.append(item)
        size += size_of(item)
        if size >= _AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some
