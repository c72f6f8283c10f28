"""Keeps the newest measurements of each series in one step of a partition's time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from modeltrail.processors.windows.columns import Codes, Flags
from modeltrail.processors.windows.kept import Kept
from modeltrail.processors.windows.recent_told import InOrder, Told, by_series, told
from modeltrail.schemas.columns import Doubles, Longs, doubles, longs

NewestColumns = tuple[Longs, Longs, Longs, tuple[str, ...], Longs, Longs, Doubles]
"""The columns of RecentMeasurements from `measurements` on, in its order."""

MOST = 1000
# Fewer rows than this are not worth looking for those that are too old.
_SLACK = 1 << 15


class Recent:
    """The newest 1,000 measurements of each series, and some that are not needed any more."""

    def __init__(self) -> None:
        self._parts: list[Kept] = []
        self._rows = 0
        self._kept = 0

    def add(self, rows: Kept) -> None:
        """Take measurements in, at least one, in the order of the log."""
        # To tell them takes the columns away, which others may hold as well.
        self._parts.append(replace(rows, columns=dict(rows.columns)))
        self._rows += len(rows)
        if self._rows > 2 * self._kept + _SLACK:
            self._drop_old()

    def newest(self, in_order: InOrder, metrics: Codes[str]) -> Iterator[Told]:
        """Each series in that order and its newest measurements, which are here no more."""
        if self._rows:
            self._drop_old()
        parts, self._parts, self._rows = self._parts, [], 0
        return told(parts, in_order, metrics) if parts else iter(())

    def _drop_old(self) -> None:
        series, order = by_series([part.series for part in self._parts])
        ends = np.flatnonzero(np.concatenate((series[1:] != series[:-1], [True])))
        end_of = np.repeat(ends, np.diff(ends, prepend=-1))
        newest: Flags = np.empty(len(series), dtype=np.bool_)
        newest[order] = end_of - np.arange(len(series)) < MOST
        edges = np.cumsum([len(part) for part in self._parts])[:-1]
        chosen = zip(self._parts, np.split(newest, edges), strict=True)
        self._parts = [part.where(flags) for part, flags in chosen if flags.any()]
        self._rows = self._kept = int(np.count_nonzero(newest))


def in_columns(found: Sequence[Told]) -> NewestColumns:
    """The newest measurements of some series, at least one."""
    names = sorted({name for each in found for name in each.names})
    places = {name: place for place, name in enumerate(names)}
    return (
        longs(len(each.times_ms) for each in found),
        longs(b"".join(each.times_ms.tobytes() for each in found)),
        longs(b"".join(each.offsets.tobytes() for each in found)),
        tuple(names),
        longs(len(each.names) for each in found),
        longs(places[name] for each in found for name in each.names),
        doubles(b"".join(each.values.tobytes() for each in found)),
    )
