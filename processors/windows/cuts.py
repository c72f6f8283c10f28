"""Says what a partition holds when a step of its time is cut, as facts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import add

import numpy as np

from modeltrail.processors.windows.chunks import bytes_of_series, chunked
from modeltrail.processors.windows.columns import Codes
from modeltrail.processors.windows.held import Held
from modeltrail.processors.windows.moments import BUCKET_US, cut_ms
from modeltrail.processors.windows.recent import Recent, in_columns
from modeltrail.processors.windows.series import Series, SeriesNames
from modeltrail.processors.windows.tally import Tally, series_in
from modeltrail.schemas.events import PartialWindows, PartitionAdvanced, RecentMeasurements
from modeltrail.schemas.ids import Micros, ModelId, derived_event_id
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import key_of


@dataclass(frozen=True, slots=True)
class Place:
    """A partition of the inference topic, how many it has, and what its codes mean."""

    partition: int
    partitions: int
    series: Codes[Series]
    metrics: Codes[str]

    def held_by(self, code: int) -> int:
        """The partition of `windows` that holds a series."""
        return _partition_of(self.series[code][0], self.partitions)

    def bytes_of(self, code: int) -> int:
        """About how many bytes it takes to say in a fact which series is meant."""
        return bytes_of_series(self.series[code])

    def in_order(self, codes: Iterable[int]) -> list[int]:
        """Codes of series by partition and name, which is the same order in every run."""
        return sorted(codes, key=lambda code: (self.held_by(code), self.series[code]))

    def names_of(self, codes: Sequence[int]) -> SeriesNames:
        """The models, versions, environments and arms of some series."""
        models, versions, environments, arms = zip(
            *map(self.series.__getitem__, codes), strict=True
        )
        return models, versions, environments, arms


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


def decided_partials(place: Place, number: int, bucket: Bucket | None) -> Iterator[PartialWindows]:
    """What the bucket of that number holds as it is decided."""
    return _partials(place, number, bucket, None) if bucket else iter(())


def final_partials(place: Place, number: int, bucket: Bucket | None) -> Iterator[PartialWindows]:
    """What the bucket holds of the series that changed since."""
    if not bucket or not bucket.changed:
        return iter(())
    return _partials(place, number, bucket, bucket.changed)


def _partials(
    place: Place, number: int, bucket: Bucket, changed: set[int] | None
) -> Iterator[PartialWindows]:
    table = bucket.tally.table()
    final = changed is not None
    codes = place.in_order(np.unique(series_in(table)).tolist() if changed is None else changed)
    if not codes:
        return
    held = Held(table, codes, place.metrics)
    start, end = Micros(number * BUCKET_US), Micros((number + 1) * BUCKET_US)
    sizes = map(add, map(place.bytes_of, codes), held.sizes().tolist())
    told = zip(map(place.held_by, codes), sizes, range(len(codes)), strict=True)
    for chunk, found in chunked(told):
        low, high = found[0], found[-1] + 1
        models, versions, environments, arms = place.names_of(codes[low:high])
        yield PartialWindows(
            derived_event_id(
                PartialWindows.record, place.partition, start, int(final), chunk.number
            ),
            chunk.partition,
            place.partition,
            models,
            versions,
            environments,
            arms,
            start,
            end,
            final,
            *held.between(low, high),
        )


def newest_measured(
    place: Place, step: int, recent: Recent, number: int
) -> Iterator[RecentMeasurements]:
    """The newest measurements of each series since this was told last in a step.

    Args:
        place: the partition.
        step: the step.
        recent: what it has taken since.
        number: the how many-th time in the step this is, from 1; 0: at its cut.
    """
    cut = Micros(cut_ms(step) * 1000)
    told = (
        (place.held_by(each.series), place.bytes_of(each.series) + each.nbytes, each)
        for each in recent.newest(place.in_order, place.metrics)
    )
    for chunk, found in chunked(told):
        models, versions, environments, arms = place.names_of([each.series for each in found])
        yield RecentMeasurements(
            derived_event_id(RecentMeasurements.record, place.partition, cut, number, chunk.number),
            chunk.partition,
            place.partition,
            models,
            versions,
            environments,
            arms,
            cut,
            *in_columns(found),
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


@lru_cache(1 << 14)
def _partition_of(model_id: ModelId, partitions: int) -> int:
    return partition_of(key_of(model_id), partitions)
