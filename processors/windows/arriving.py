"""Gathers the newest 1,000 measurements of each series that come for one cut, each of them once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.series import Series, each_series
from modeltrail.processors.windows.sketches import Floats, Integers
from modeltrail.schemas.events import RecentMeasurements

MOST = 1000
# As soon as so many have come for a cut, those whose place they take are let go.
_MANY = MOST // 2


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

    As copies: a view would keep the columns of all series for as long as one of them is kept. All
    have the same partition, so that is not copied.
    """
    appended_ms, offsets = np.asarray(recent.appended_ms), np.asarray(recent.offsets)
    values = np.asarray(recent.values)
    partitions = np.full(max(recent.measurements, default=0), recent.source_partition, np.int32)
    row = metric = value = 0
    for series, count, metrics in zip(
        each_series(recent), recent.measurements, recent.metrics_each, strict=True
    ):
        places = recent.metrics[metric : metric + metrics]
        yield (
            series,
            Rows(
                appended_ms[row : row + count].copy(),
                partitions[:count],
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


def _newest(parts: Sequence[Rows]) -> Rows:
    """The newest 1,000 of some rows, at least one, oldest first; one that comes twice is one."""
    if len(parts) == 1:
        # In the order of their partition's log.
        return parts[0]
    names = parts[0].names
    if any(rows.names != names for rows in parts):
        names = tuple({name for rows in parts for name in rows.names})
    names = tuple(sorted(names))
    appended_ms = np.concatenate([rows.appended_ms for rows in parts])
    partitions = np.concatenate([rows.partitions for rows in parts])
    offsets = np.concatenate([rows.offsets for rows in parts])
    values = np.concatenate([aligned(names, rows.names, rows.values) for rows in parts], axis=1)
    if len(offsets) <= MOST and _rises(appended_ms, partitions, offsets):
        return Rows(appended_ms, partitions, offsets, names, values)
    order = np.lexsort((offsets, partitions, appended_ms))
    # A row has one append time, so the same rows are side by side.
    first = np.ones(len(order), dtype=np.bool_)
    sources, places = partitions[order], offsets[order]
    first[1:] = (places[1:] != places[:-1]) | (sources[1:] != sources[:-1])
    order = order[first][-MOST:]
    return Rows(
        appended_ms[order], partitions[order], offsets[order], names, values.take(order, axis=1)
    )


def _rises(appended_ms: Integers, partitions: npt.NDArray[np.int32], offsets: Integers) -> bool:
    """Whether they are, each once, in the order of one partition's log: mostly they are."""
    return bool(
        (partitions == partitions[0]).all()
        and (offsets[1:] > offsets[:-1]).all()
        and (appended_ms[1:] >= appended_ms[:-1]).all()
    )


def aligned(names: tuple[str, ...], given: tuple[str, ...], values: Floats) -> Floats:
    """Values with a row for each of `names`, which hold all that are `given`; NaN where none."""
    if names == given:
        return values
    place = {name: index for index, name in enumerate(names)}
    found = np.full((len(names), values.shape[1]), np.nan)
    found[[place[name] for name in given]] = values
    return found
