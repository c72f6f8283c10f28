"""Says what a partition holds when a step of its time is cut, as facts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from modeltrail.processors.windows.columns import Codes
from modeltrail.processors.windows.moments import BUCKET_US, cut_ms
from modeltrail.processors.windows.recent import Recent
from modeltrail.processors.windows.series import Series
from modeltrail.processors.windows.tally import Tally, partials_of, series_in
from modeltrail.schemas.events import PartialWindow, PartitionAdvanced, RecentMeasured
from modeltrail.schemas.ids import Micros, derived_event_id


@dataclass(frozen=True, slots=True)
class Place:
    """A partition of the inference topic, how many it has, and what its codes mean."""

    partition: int
    partitions: int
    series: Codes[Series]
    metrics: Codes[str]

    def in_order(self, codes: Iterable[int]) -> list[int]:
        """Codes of series in the order of their names, which is the same in every run."""
        return sorted(codes, key=lambda code: self.series[code])


@dataclass(slots=True)
class Counts:
    """What was taken in one step, and what was not."""

    measurements: int = 0
    late: int = 0
    refused: int = 0
    out_of_range: int = 0
    truths: int = 0
    unmatched_truths: int = 0
    evicted_samples: int = 0

    def any(self) -> bool:
        """Whether there was anything at all."""
        return any(getattr(self, each.name) for each in fields(self))


@dataclass(slots=True)
class Bucket:
    """10 s of capture; `changed` are the series of which something came after it was decided."""

    tally: Tally = field(default_factory=Tally)
    changed: set[int] = field(default_factory=set)


def decided_partials(place: Place, number: int, bucket: Bucket | None) -> Iterator[PartialWindow]:
    """What the bucket of that number holds as it is decided."""
    return _partials(place, number, bucket, None) if bucket else iter(())


def final_partials(place: Place, number: int, bucket: Bucket | None) -> Iterator[PartialWindow]:
    """What the bucket holds of the series that changed since."""
    if not bucket or not bucket.changed:
        return iter(())
    return _partials(place, number, bucket, bucket.changed)


def _partials(
    place: Place, number: int, bucket: Bucket, changed: set[int] | None
) -> Iterator[PartialWindow]:
    table = bucket.tally.table()
    final = changed is not None
    codes = place.in_order(series_in(table).tolist() if changed is None else changed)
    start, end = Micros(number * BUCKET_US), Micros((number + 1) * BUCKET_US)
    for code, measurements, metrics in partials_of(table, np.array(codes), place.metrics):
        series = place.series[code]
        yield PartialWindow(
            derived_event_id(PartialWindow.record, place.partition, *series, start, int(final)),
            *series,
            place.partition,
            start,
            end,
            final,
            measurements,
            metrics,
        )


def newest_measured(
    place: Place, step: int, recent: Recent, number: int
) -> Iterator[RecentMeasured]:
    """The newest measurements of each series since this was told last in a step.

    Args:
        place: the partition.
        step: the step.
        recent: what it has taken since.
        number: the how many-th time in the step this is, from 1; 0: at its cut.
    """
    cut = Micros(cut_ms(step) * 1000)
    early = (number,) if number else ()
    for code, (times_ms, offsets, metrics) in recent.newest(place.in_order, place.metrics):
        series = place.series[code]
        yield RecentMeasured(
            derived_event_id(RecentMeasured.record, place.partition, *series, cut, *early),
            *series,
            place.partition,
            cut,
            times_ms,
            offsets,
            metrics,
        )


def advanced(place: Place, step: int, counts: Counts) -> Iterator[PartitionAdvanced]:
    """Word to every partition of `windows` that a step is over."""
    cut = Micros(cut_ms(step) * 1000)
    for partition in range(place.partitions):
        yield PartitionAdvanced(
            derived_event_id(PartitionAdvanced.record, partition, place.partition, cut),
            partition,
            place.partition,
            place.partitions,
            cut,
            counts.measurements,
            counts.late,
            counts.refused,
            counts.out_of_range,
            counts.truths,
            counts.unmatched_truths,
            counts.evicted_samples,
        )
