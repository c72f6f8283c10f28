"""Reads the facts that source partitions told series by series, before they told many in one."""

from modeltrail.schemas.columns import Longs, doubles, longs
from modeltrail.schemas.events import (
    OfSeries,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
)
from modeltrail.schemas.ids import ModelId, Version

# Which one holds it is of no interest to who reads it there.
_PARTITION = -1


def as_partials(partial: PartialWindow) -> PartialWindows:
    """What the fact says, as it is said today."""
    metrics = partial.metrics
    return PartialWindows(
        partial.event_id,
        _PARTITION,
        partial.source_partition,
        *_series(partial),
        partial.start,
        partial.end,
        partial.final,
        longs((partial.measurements,)),
        tuple(metric.name for metric in metrics),
        *_all(len(metrics)),
        longs(metric.count for metric in metrics),
        longs(metric.sum_whole for metric in metrics),
        longs(metric.sum_fraction for metric in metrics),
        doubles(metric.min for metric in metrics),
        doubles(metric.max for metric in metrics),
        longs(len(metric.bins) for metric in metrics),
        longs(number for metric in metrics for number in metric.bins),
        longs(count for metric in metrics for count in metric.counts),
    )


def as_recent(recent: RecentMeasured) -> RecentMeasurements:
    """What the fact says, as it is said today."""
    metrics = recent.metrics
    return RecentMeasurements(
        recent.event_id,
        _PARTITION,
        recent.source_partition,
        *_series(recent),
        recent.advanced_to,
        longs((len(recent.offsets),)),
        recent.appended_ms,
        recent.offsets,
        tuple(metric.name for metric in metrics),
        *_all(len(metrics)),
        doubles(value for metric in metrics for value in metric.values),
    )


def _series(
    fact: OfSeries,
) -> tuple[tuple[ModelId], tuple[Version], tuple[str], tuple[str]]:
    return ((fact.model_id,), (fact.version,), (fact.environment,), (fact.arm,))


def _all(metrics: int) -> tuple[Longs, Longs]:
    """That the one series has all of the metrics."""
    return longs((metrics,)), longs(range(metrics))
