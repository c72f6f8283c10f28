"""Takes facts about many series apart, into what they say of each, and puts them together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from modeltrail.schemas.columns import doubles, longs
from modeltrail.schemas.events import (
    Fact,
    MetricPartial,
    OfManySeries,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
    RecentMetric,
)
from modeltrail.schemas.ids import ModelId, Version


def taken_apart(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The facts, those about many series as one fact a series."""
    for fact in facts:
        match fact:
            case PartialWindows():
                yield from _partials(fact)
            case RecentMeasurements():
                yield from _recent(fact)
            case _:
                yield fact


def put_together(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The facts; those of one kind, source and time that follow each other as one."""
    waiting: list[PartialWindow | RecentMeasured] = []
    for fact in facts:
        if waiting and not _goes_with(fact, waiting):
            yield _as_one(waiting)
            waiting = []
        if isinstance(fact, PartialWindow | RecentMeasured):
            waiting.append(fact)
        else:
            yield fact
    if waiting:
        yield _as_one(waiting)


def _goes_with(fact: Fact, others: Sequence[Fact]) -> bool:
    """Whether it is about the same as others, and about another series than each of them."""
    return _about(fact) == _about(others[0]) and _name(fact) not in map(_name, others)


def _about(fact: Any) -> tuple[object, ...]:
    names = ("source_partition", "start", "final", "advanced_to")
    return (type(fact), *(getattr(fact, name, None) for name in names))


def _name(fact: Any) -> tuple[ModelId, Version, str, str]:
    return (fact.model_id, fact.version, fact.environment, fact.arm)


def _as_one(facts: Sequence[Any]) -> PartialWindows | RecentMeasurements:
    first = facts[0]
    metrics = [metric for fact in facts for metric in fact.metrics]
    names = tuple(sorted({metric.name for metric in metrics}))
    models, versions, environments, arms = zip(*map(_name, facts), strict=True)
    series = {
        "event_id": first.event_id,
        "partition": 0,
        "source_partition": first.source_partition,
        "model_ids": models,
        "versions": versions,
        "environments": environments,
        "arms": arms,
        "metric_names": names,
        "metrics_each": longs(len(fact.metrics) for fact in facts),
        "metrics": longs(names.index(metric.name) for metric in metrics),
    }
    if isinstance(first, RecentMeasured):
        return RecentMeasurements(
            **series,
            advanced_to=first.advanced_to,
            measurements=longs(len(fact.offsets) for fact in facts),
            appended_ms=longs(time_ms for fact in facts for time_ms in fact.appended_ms),
            offsets=longs(offset for fact in facts for offset in fact.offsets),
            values=doubles(value for metric in metrics for value in metric.values),
        )
    return PartialWindows(
        **series,
        start=first.start,
        end=first.end,
        final=first.final,
        measurements=longs(fact.measurements for fact in facts),
        counts=longs(metric.count for metric in metrics),
        sums_whole=longs(metric.sum_whole for metric in metrics),
        sums_fraction=longs(metric.sum_fraction for metric in metrics),
        mins=doubles(metric.min for metric in metrics),
        maxs=doubles(metric.max for metric in metrics),
        bins_each=longs(len(metric.bins) for metric in metrics),
        bins=longs(number for metric in metrics for number in metric.bins),
        bin_counts=longs(count for metric in metrics for count in metric.counts),
    )


def _partials(fact: PartialWindows) -> Iterator[PartialWindow]:
    bins = iter(zip(fact.bins, fact.bin_counts, strict=True))
    metrics = iter(
        zip(
            fact.metrics,
            fact.counts,
            fact.sums_whole,
            fact.sums_fraction,
            fact.mins,
            fact.maxs,
            fact.bins_each,
            strict=True,
        )
    )
    for series, measurements, count in zip(
        _series(fact), fact.measurements, fact.metrics_each, strict=True
    ):
        found = []
        for _ in range(count):
            name, values, whole, fraction, minimum, maximum, length = next(metrics)
            numbers = [next(bins) for _ in range(length)]
            found.append(
                MetricPartial(
                    fact.metric_names[name],
                    values,
                    whole,
                    fraction,
                    minimum,
                    maximum,
                    longs(number for number, _ in numbers),
                    longs(counted for _, counted in numbers),
                )
            )
        yield PartialWindow(
            fact.event_id,
            *series,
            fact.source_partition,
            fact.start,
            fact.end,
            fact.final,
            measurements,
            tuple(found),
        )
    assert next(metrics, None) is None
    assert next(bins, None) is None


def _recent(fact: RecentMeasurements) -> Iterator[RecentMeasured]:
    places = iter(zip(fact.appended_ms, fact.offsets, strict=True))
    names = iter(fact.metrics)
    values = iter(fact.values)
    for series, measurements, count in zip(
        _series(fact), fact.measurements, fact.metrics_each, strict=True
    ):
        mine = [next(places) for _ in range(measurements)]
        yield RecentMeasured(
            fact.event_id,
            *series,
            fact.source_partition,
            fact.advanced_to,
            longs(time_ms for time_ms, _ in mine),
            longs(offset for _, offset in mine),
            tuple(
                RecentMetric(
                    fact.metric_names[next(names)],
                    doubles([next(values) for _ in range(measurements)]),
                )
                for _ in range(count)
            ),
        )
    assert next(places, None) is None
    assert next(names, None) is None
    assert next(values, None) is None


def _series(fact: OfManySeries) -> Iterator[tuple[ModelId, Version, str, str]]:
    return zip(fact.model_ids, fact.versions, fact.environments, fact.arms, strict=True)
