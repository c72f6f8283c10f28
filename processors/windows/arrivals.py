"""Keeps the partial windows of one bucket, packed, until they are merged; the newest one wins."""

from collections.abc import Collection, Set
from dataclasses import dataclass

import numpy as np

from modeltrail.processors.windows.series import MEASUREMENTS, Series, SeriesRows, each_series
from modeltrail.processors.windows.sketches import (
    NONE,
    AnyIntegers,
    Flags,
    Integers,
    Parts,
    Sketches,
    added_up,
)
from modeltrail.schemas.columns import Longs
from modeltrail.schemas.events import PartialWindows

Part = tuple[Series, int]
"""A series in one source partition."""


@dataclass(frozen=True, slots=True)
class _Packed:
    """What one fact says; `places` tells of which series and source partition each row is."""

    places: Integers
    content: Parts

    def where(self, chosen: Flags) -> Parts:
        """What is said at some places."""
        mine = chosen[self.places]
        if mine.all():
            return self.content
        rows, totals, ranges, lengths, bins, counts = self.content
        entries = np.repeat(mine, lengths)
        return Parts(
            rows[mine],
            totals[:, mine],
            ranges[:, mine],
            lengths[mine],
            bins[entries],
            counts[entries],
        )


class Arrivals:
    """The partials of one bucket, each part of it once: decided ones, or final ones."""

    def __init__(self) -> None:
        self._place_of: dict[Part, int] = {}
        self._added = 0
        self._packed: list[_Packed] = []

    def __len__(self) -> int:
        return len(self._place_of)

    @property
    def parts(self) -> Set[Part]:
        """Of which series and source partitions there is a partial."""
        return self._place_of.keys()

    @property
    def rows(self) -> Set[int]:
        """The rows that they speak of."""
        return {row for packed in self._packed for row in packed.content.rows.tolist()}

    def add(self, partials: PartialWindows, rows: SeriesRows) -> None:
        """Take the partials of many series; each replaces an earlier one of the same part."""
        first = self._added
        series = each_series(partials)
        self._added += len(series)
        parts = ((each, partials.source_partition) for each in series)
        self._place_of |= zip(parts, range(first, self._added), strict=True)
        self._packed.append(_packed(partials, series, first, rows))

    def sketches(self, parts: Collection[Part]) -> Sketches:
        """What some of the parts add up to."""
        if not parts:
            return NONE
        chosen = np.zeros(self._added, dtype=np.bool_)
        chosen[[self._place_of[part] for part in parts]] = True
        return added_up([packed.where(chosen) for packed in self._packed])


def _packed(
    partials: PartialWindows, series: list[Series], first: int, rows: SeriesRows
) -> _Packed:
    """What a fact says; first how often each series was measured, then its metrics."""
    names = [partials.metric_names[place] for place in partials.metrics]
    mine = iter(names)
    metric_rows = [
        rows.row_of(each, next(mine))
        for each, count in zip(series, partials.metrics_each, strict=True)
        for _ in range(count)
    ]
    measured = np.asarray(partials.measurements)
    # They have neither sum nor bins: zeros keep the columns even.
    nothing = np.zeros_like(measured)
    places = np.arange(first, first + len(series))
    sums = (partials.counts, partials.sums_whole, partials.sums_fraction)
    content = Parts(
        np.array([*(rows.row_of(each, MEASUREMENTS) for each in series), *metric_rows]),
        np.concatenate((np.stack((measured, nothing, nothing)), np.stack(sums)), axis=1),
        np.concatenate(
            (np.zeros((2, len(series))), np.stack((partials.mins, partials.maxs))), axis=1
        ),
        np.concatenate((nothing, partials.bins_each)),
        # Half the bytes hold the bins, and an eighth most counts.
        np.asarray(partials.bins).astype(np.int32),
        _smallest(partials.bin_counts),
    )
    return _Packed(np.concatenate((places, np.repeat(places, partials.metrics_each))), content)


def _smallest(values: Longs) -> AnyIntegers:
    found = np.asarray(values)
    return found.astype(np.min_scalar_type(found.max(initial=0)))
