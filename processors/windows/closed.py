"""Turns windows into the facts that say what they came to."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from modeltrail.processors.windows.metric_windows import SHARES, metric_windows
from modeltrail.processors.windows.rings import Ring
from modeltrail.processors.windows.series import Series, SeriesRows
from modeltrail.processors.windows.sketches import AnyIntegers, Integers, Sketches
from modeltrail.processors.windows.tiers import BUCKET_S, Window
from modeltrail.schemas.columns import Longs, longs
from modeltrail.schemas.events import MetricWindow, WindowClosed
from modeltrail.schemas.ids import Micros, derived_event_id

LAST_1000 = "last_1000"
_SECOND_US = 1_000_000


def closed_windows(window: Window, rows: SeriesRows, *, final: bool) -> list[WindowClosed]:
    """A fact for each series of a window, in the order of the series; metrics by name."""
    table = window.table
    if not table.rows.size:
        return []
    ordered = rows.ordered(table.rows)
    measurements = table.totals[0, ordered.measured].tolist()
    metrics = _metrics(
        table, ordered.names, ordered.metrics, with_bins=window.kind.length_s == BUCKET_S
    )
    start, end = (Micros(time_s * _SECOND_US) for time_s in (window.start_s, window.end_s))
    return [
        _closed(series, window.kind.name, start, end, final, count, tuple(metrics[begin:stop]))
        for series, count, begin, stop in zip(
            ordered.series, measurements, ordered.begins, ordered.ends, strict=True
        )
    ]


def closed_last_1000(
    series: Series, newest: Ring, metrics: tuple[MetricWindow, ...], end_s: int
) -> WindowClosed:
    """The fact for the newest measurements of a series."""
    return _closed(
        series,
        LAST_1000,
        Micros(newest.oldest_ms * 1000),
        Micros(end_s * _SECOND_US),
        False,
        len(newest),
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


def _metrics(
    table: Sketches, names: list[str], chosen: Integers, *, with_bins: bool
) -> list[MetricWindow]:
    """The metrics in some places of a table, in this order."""
    columns = (
        names,
        table.totals[:, chosen],
        table.ranges[:, chosen],
        table.quantiles(SHARES)[:, chosen],
    )
    if not with_bins:
        return metric_windows(*columns)
    begins, ends = table.starts[chosen], table.starts[chosen + 1]
    return metric_windows(
        *columns, _pieces(table.bins, begins, ends), _pieces(table.bin_counts, begins, ends)
    )


def _pieces(values: AnyIntegers, begins: Integers, ends: Integers) -> Iterator[Longs]:
    column = longs(values.astype(np.int64).tobytes())
    pieces = map(column.__getitem__, map(slice, begins.tolist(), ends.tolist()))
    return cast(Iterator[Longs], pieces)
