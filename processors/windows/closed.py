"""Turns windows into the facts that say what they came to."""

from collections.abc import Iterator
from operator import attrgetter

import numpy as np

from modeltrail.processors.windows.last_1000 import Newest
from modeltrail.processors.windows.series import MEASUREMENTS, Series, SeriesRows
from modeltrail.processors.windows.sketches import Sketches
from modeltrail.processors.windows.tiers import BUCKET_S, Window
from modeltrail.schemas.columns import longs
from modeltrail.schemas.events import MetricWindow, WindowClosed
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.sketch import mean_of

LAST_1000 = "last_1000"
_SHARES = (0.5, 0.95, 0.99)
_SECOND_US = 1_000_000


def closed_windows(window: Window, rows: SeriesRows, *, final: bool) -> list[WindowClosed]:
    """A fact for each series of a window, in the order of the series; metrics by name."""
    if not window.table.rows.size:
        return []
    metrics: dict[Series, list[MetricWindow]] = {}
    measurements: dict[Series, int] = {}
    names = [rows.name_of(row) for row in window.table.rows.tolist()]
    with_bins = window.kind.length_s == BUCKET_S
    for (series, name), metric in zip(
        names, _metrics(window.table, [name for _, name in names], with_bins), strict=True
    ):
        mine = metrics.setdefault(series, [])
        if name == MEASUREMENTS:
            measurements[series] = metric.count
        else:
            mine.append(metric)
    start, end = (Micros(time_s * _SECOND_US) for time_s in (window.start_s, window.end_s))
    return [
        _closed(
            series,
            window.kind.name,
            start,
            end,
            final,
            measurements[series],
            tuple(sorted(metrics[series], key=attrgetter("name"))),
        )
        for series in sorted(metrics)
    ]


def closed_last_1000(
    series: Series, newest: Newest, metrics: tuple[MetricWindow, ...], end_s: int
) -> WindowClosed:
    """The fact for the newest measurements of a series."""
    return _closed(
        series,
        LAST_1000,
        Micros(int(newest.appended_ms[0]) * 1000),
        Micros(end_s * _SECOND_US),
        False,
        len(newest.appended_ms),
        metrics,
    )


def _closed(
    series: Series,
    window: str,
    start: Micros,
    end: Micros,
    final: bool,
    measurements: int,
    metrics: tuple[MetricWindow, ...],
) -> WindowClosed:
    return WindowClosed(
        derived_event_id(WindowClosed.record, *series, window, end, int(final)),
        *series,
        window,
        start,
        end,
        final,
        measurements,
        metrics,
    )


def _metrics(table: Sketches, names: list[str], with_bins: bool) -> Iterator[MetricWindow]:
    """A metric a row, by whole columns: there are tens of thousands of them in a cut."""
    counts, wholes, fractions = table.totals.tolist()
    # Nothing may have been measured where only truth came.
    means = map(mean_of, np.maximum(table.totals[0], 1).tolist(), wholes, fractions)
    columns = (names, counts, wholes, fractions, means, *table.ranges.tolist())
    quantiles = table.quantiles(_SHARES).tolist()
    if not with_bins:
        return map(MetricWindow, *columns, *quantiles)
    edges = (table.starts * table.starts.itemsize).tolist()
    pairs = (
        map(longs, map(values.astype(np.int64).tobytes().__getitem__, map(slice, edges, edges[1:])))
        for values in (table.bins, table.bin_counts)
    )
    return map(MetricWindow, *columns, *quantiles, *pairs)
