"""Tells whether the columns of a fact fit each other: folds take them apart by their lengths."""

from collections.abc import Iterator, Sequence

import numpy as np

from modeltrail.schemas.events import (
    Fact,
    MeasurementSampled,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
    WindowClosed,
)
from modeltrail.schemas.sketch import in_range

#: Bins are numbers of 32 bits.
BIN_LIMIT = 2**31


def misfit(fact: Fact) -> str | None:
    """What of a fact does not fit the rest of it; None: all does."""
    match fact:
        case PartialWindows():
            problems = _of_partials(fact)
        case RecentMeasurements():
            problems = _of_recent(fact)
        case PartialWindow() | WindowClosed():
            problems = _of_bins(fact)
        case RecentMeasured():
            problems = _of_one_recent(fact)
        case MeasurementSampled():
            problems = _uneven(fact, ("values",), len(fact.names), "names")
        case _:
            return None
    return next(problems, None)


def _of_partials(fact: PartialWindows) -> Iterator[str]:
    yield from _of_many(fact)
    columns = ("counts", "sums_whole", "sums_fraction", "mins", "maxs", "bins_each")
    yield from _uneven(fact, columns, len(fact.metrics), "metrics")
    yield from _negative(fact, ("measurements", "counts", "bins_each", "bin_counts"))
    yield from _uneven(fact, ("bins", "bin_counts"), sum(fact.bins_each), "bins")
    yield from _bins_out_of_range(fact.bins)


def _of_recent(fact: RecentMeasurements) -> Iterator[str]:
    yield from _of_many(fact)
    if np.asarray(fact.measurements).min(initial=1) < 1:
        yield "a series has no measurement"
    yield from _uneven(fact, ("appended_ms", "offsets"), sum(fact.measurements), "measurements")
    each = zip(fact.measurements, fact.metrics_each, strict=True)
    expected = sum(measurements * metrics for measurements, metrics in each)
    yield from _uneven(fact, ("values",), expected, "values")
    yield from _values_out_of_range(fact.values)


def _of_many(fact: PartialWindows | RecentMeasurements) -> Iterator[str]:
    """What of the columns that both kinds of facts about many series have does not fit."""
    series = len(fact.model_ids)
    columns = ("versions", "environments", "arms", "measurements", "metrics_each")
    yield from _uneven(fact, columns, series, "series")
    yield from _negative(fact, ("metrics_each",))
    yield from _uneven(fact, ("metrics",), sum(fact.metrics_each), "metrics of all series")
    places = np.asarray(fact.metrics)
    if len(places) and not 0 <= places.min() <= places.max() < len(fact.metric_names):
        yield f"a metric is none of the {len(fact.metric_names)} names"
    if "" in fact.metric_names:
        yield "a metric has no name"


def _of_bins(fact: PartialWindow | WindowClosed) -> Iterator[str]:
    for metric in fact.metrics:
        if len(metric.bins) != len(metric.counts):
            yield f"{metric.name} has {len(metric.bins)} bins and {len(metric.counts)} counts"
        if metric.bins:
            if min(metric.counts) < 0:
                yield f"a count of {metric.name} is negative"
            yield from _bins_out_of_range(metric.bins)


def _of_one_recent(fact: RecentMeasured) -> Iterator[str]:
    if not fact.offsets:
        yield "the series has no measurement"
    yield from _uneven(fact, ("appended_ms",), len(fact.offsets), "measurements")
    for metric in fact.metrics:
        if len(metric.values) != len(fact.offsets):
            yield f"{metric.name} has {len(metric.values)} values of {len(fact.offsets)}"
        yield from _values_out_of_range(metric.values)


def _uneven(fact: Fact, columns: Sequence[str], expected: int, what: str) -> Iterator[str]:
    for name in columns:
        if (length := len(getattr(fact, name))) != expected:
            yield f"{name} has {length} values for {expected} {what}"


def _negative(fact: Fact, columns: Sequence[str]) -> Iterator[str]:
    for name in columns:
        if np.asarray(getattr(fact, name)).min(initial=0) < 0:
            yield f"a value of {name} is negative"


def _bins_out_of_range(bins: Sequence[int]) -> Iterator[str]:
    found = np.asarray(bins)
    if found.min(initial=0) <= -BIN_LIMIT or found.max(initial=0) >= BIN_LIMIT:
        yield "a bin is not of 32 bits"


def _values_out_of_range(values: Sequence[float]) -> Iterator[str]:
    found = np.asarray(values)
    if not (np.isnan(found) | in_range(found)).all():
        yield "a value is too large for a sum"
