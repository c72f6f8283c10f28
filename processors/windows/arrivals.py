"""Keeps the partial windows of one bucket, packed, until they are merged; the newest one wins."""

from array import array
from collections.abc import Collection, Set
from itertools import repeat
from typing import Any

import numpy as np

from modeltrail.processors.windows.series import MEASUREMENTS, Series, SeriesRows, series_of
from modeltrail.processors.windows.sketches import NONE, Sketches, sketches_of
from modeltrail.schemas.events import PartialWindow

Part = tuple[Series, int]
"""A series in one source partition."""


class Arrivals:
    """The partials of one bucket, each part of it once: decided ones, or final ones."""

    def __init__(self) -> None:
        self._place_of: dict[Part, int] = {}
        self._added = 0
        self._places = array("q")
        self._rows = array("q")
        self._totals = array("q")
        self._ranges = array("d")
        self._lengths = array("q")
        self._bins = array("i")
        self._counts = array("q")

    def __len__(self) -> int:
        return len(self._place_of)

    @property
    def parts(self) -> Set[Part]:
        """Of which series and source partitions there is a partial."""
        return self._place_of.keys()

    @property
    def rows(self) -> Set[int]:
        """The rows that they speak of."""
        return set(self._rows)

    def add(self, partial: PartialWindow, rows: SeriesRows) -> None:
        """Take a partial; it replaces an earlier one of the same part."""
        series = series_of(partial)
        place = self._added
        self._added += 1
        self._place_of[series, partial.source_partition] = place
        # The row of the measurements has neither sum nor bins: zeros keep the columns even.
        self._rows.append(rows.row_of(series, MEASUREMENTS))
        self._totals.extend((partial.measurements, 0, 0))
        self._ranges.extend((0.0, 0.0))
        self._lengths.append(0)
        for metric in partial.metrics:
            self._rows.append(rows.row_of(series, metric.name))
            self._totals.extend((metric.count, metric.sum_whole, metric.sum_fraction))
            self._ranges.extend((metric.min, metric.max))
            self._lengths.append(len(metric.bins))
            # Half the bytes hold them.
            self._bins.frombytes(np.asarray(metric.bins).astype(np.int32).tobytes())
            self._counts.extend(metric.counts)
        self._places.extend(repeat(place, 1 + len(partial.metrics)))

    def sketches(self, parts: Collection[Part]) -> Sketches:
        """What some of the parts add up to."""
        if not parts:
            return NONE
        chosen = np.zeros(self._added, dtype=np.bool_)
        chosen[[self._place_of[part] for part in parts]] = True
        mine = chosen[_numbers(self._places)]
        lengths = _numbers(self._lengths)
        entries = np.repeat(mine, lengths)
        return sketches_of(
            _numbers(self._rows)[mine],
            _numbers(self._totals).reshape(-1, 3)[mine].T,
            _numbers(self._ranges).reshape(-1, 2)[mine].T,
            lengths[mine],
            _numbers(self._bins)[entries],
            _numbers(self._counts)[entries],
        )


def _numbers(values: "array[Any]") -> Any:
    # A copy: an array that numpy looks into could not grow.
    return np.array(values)
