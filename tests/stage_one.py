"""Says by the definitions what source partitions publish of measurements, and what windows hold."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.columns import doubles, longs, no_longs
from modeltrail.schemas.events import (
    Fact,
    MetricPartial,
    MetricWindow,
    PartialWindow,
    PartitionAdvanced,
    RecentMeasured,
    RecentMetric,
)
from modeltrail.schemas.ids import Micros, ModelId, Version, derived_event_id
from modeltrail.schemas.sketch import bins_of, fixed_point, mean_of, normalised, quantile

Series = tuple[ModelId, Version, str, str]
Content = tuple[int, tuple[MetricWindow, ...]]
"""How many measurements, and what their metrics come to."""
LENGTHS_S = {"10s": (10, 10), "1m": (60, 10), "5m": (300, 60), "1h": (3600, 300)}
"""Window to its length and to how often one ends."""
START_S = 1_767_225_600
"""An hour begins: every kind of window ends there."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement in the log, captured within 10 s of its append: windows take it."""

    source: int
    offset: int
    series: Series
    captured_us: int
    appended_ms: int
    values: Mapping[str, float]


def series(name: str) -> Series:
    return (ModelId(name), Version("v1.0.0"), "production", "champion")


def published(
    measurements: Sequence[Measured], source: int, sources: int, ends_s: Iterable[int]
) -> list[list[Fact]]:
    """What one source partition publishes at each of its cuts, to one partition of `windows`."""
    mine = [each for each in measurements if each.source == source]
    return [_at_cut(mine, source, sources, end_s) for end_s in ends_s]


def _at_cut(mine: Sequence[Measured], source: int, sources: int, end_s: int) -> list[Fact]:
    cut_ms = (end_s + 1) * 1000
    facts: list[Fact] = []
    for bucket_end_s, final in ((end_s, False), (end_s - 10, True)):
        for name, found in by_series(in_bucket(mine, bucket_end_s)).items():
            seen = [each for each in found if each.appended_ms <= cut_ms]
            before = [each for each in found if each.appended_ms <= cut_ms - 10_000]
            if seen and (not final or len(seen) > len(before)):
                facts.append(partial_of(name, source, bucket_end_s, final, seen))
    fresh = [each for each in mine if cut_ms - 10_000 < each.appended_ms <= cut_ms]
    facts += [recent_of(name, source, end_s, found) for name, found in by_series(fresh).items()]
    return [*facts, advanced(source, sources, end_s)]


def partial_of(
    name: Series, source: int, end_s: int, final: bool, found: Sequence[Measured]
) -> PartialWindow:
    start, end = Micros((end_s - 10) * 1_000_000), Micros(end_s * 1_000_000)
    return PartialWindow(
        derived_event_id(PartialWindow.record, *name, source, start, int(final)),
        *name,
        source,
        start,
        end,
        final,
        len(found),
        tuple(_partial(metric, values) for metric, values in by_metric(found).items()),
    )


def recent_of(name: Series, source: int, end_s: int, found: Sequence[Measured]) -> RecentMeasured:
    newest = sorted(found, key=lambda each: (each.appended_ms, each.offset))[-1000:]
    cut = Micros((end_s + 1) * 1_000_000)
    return RecentMeasured(
        derived_event_id(RecentMeasured.record, *name, source, cut),
        *name,
        source,
        cut,
        longs([each.appended_ms for each in newest]),
        longs([each.offset for each in newest]),
        tuple(
            RecentMetric(metric, doubles([each.values.get(metric, math.nan) for each in newest]))
            for metric in by_metric(newest)
        ),
    )


def advanced(source: int, sources: int, end_s: int) -> PartitionAdvanced:
    cut = Micros((end_s + 1) * 1_000_000)
    return PartitionAdvanced(
        derived_event_id(PartitionAdvanced.record, source, cut),
        0,
        source,
        sources,
        cut,
        *(0,) * 7,
    )


def appended(facts: Iterable[Fact]) -> Iterator[Appended]:
    """The facts as records of partition 0 of `windows`."""
    for offset, fact in enumerate(facts):
        yield Appended(0, offset, 0, fact)


def expected(
    measurements: Sequence[Measured], window: str, end_s: int, *, final: bool
) -> dict[Series, Content]:
    """Measurements and metrics of every series with data in a window, from the definitions."""
    cut_ms = (end_s + 1) * 1000
    if window == "last_1000":
        found = [each for each in measurements if cut_ms - 3_600_000 < each.appended_ms <= cut_ms]
        held = {
            name: sorted(own, key=lambda each: (each.appended_ms, each.source, each.offset))[-1000:]
            for name, own in by_series(found).items()
        }
        held = {name: own for name, own in held.items() if end_s % 60 == 0 or _moved(own, cut_ms)}
    else:
        start_us, end_us = (end_s - LENGTHS_S[window][0]) * 1_000_000, end_s * 1_000_000
        held = by_series(
            each
            for each in measurements
            if start_us <= each.captured_us < end_us and (final or each.appended_ms <= cut_ms)
        )
    return {
        name: (
            len(own),
            tuple(
                metric_window(metric, values, with_bins=window == "10s")
                for metric, values in by_metric(own).items()
            ),
        )
        for name, own in held.items()
    }


def _moved(newest: Sequence[Measured], cut_ms: int) -> bool:
    """Whether a tenth of them or more were appended since the cut before."""
    return sum(each.appended_ms > cut_ms - 10_000 for each in newest) >= len(newest) / 10


def metric_window(name: str, values: Sequence[float], *, with_bins: bool) -> MetricWindow:
    part = _partial(name, values)

    def ranked(share: float) -> float:
        return quantile(part.bins, part.counts, share, part.min, part.max)

    return MetricWindow(
        name,
        part.count,
        part.sum_whole,
        part.sum_fraction,
        mean_of(part.count, part.sum_whole, part.sum_fraction),
        part.min,
        part.max,
        ranked(0.5),
        ranked(0.95),
        ranked(0.99),
        part.bins if with_bins else no_longs(),
        part.counts if with_bins else no_longs(),
    )


def _partial(name: str, values: Sequence[float]) -> MetricPartial:
    array = np.array(values)
    bins, counts = np.unique(bins_of(array), return_counts=True)
    whole, fraction = (int(part.sum()) for part in fixed_point(array))
    return MetricPartial(
        name,
        len(values),
        *normalised(whole, fraction),
        min(values),
        max(values),
        longs(bins.tolist()),
        longs(counts.tolist()),
    )


def in_bucket(found: Iterable[Measured], end_s: int) -> list[Measured]:
    start_us, end_us = (end_s - 10) * 1_000_000, end_s * 1_000_000
    return [each for each in found if start_us <= each.captured_us < end_us]


def by_series(found: Iterable[Measured]) -> dict[Series, list[Measured]]:
    grouped: dict[Series, list[Measured]] = {}
    for each in found:
        grouped.setdefault(each.series, []).append(each)
    return dict(sorted(grouped.items()))


def by_metric(found: Iterable[Measured]) -> dict[str, list[float]]:
    grouped: dict[str, list[float]] = {}
    for each in found:
        for metric, value in each.values.items():
            grouped.setdefault(metric, []).append(value)
    return dict(sorted(grouped.items()))
