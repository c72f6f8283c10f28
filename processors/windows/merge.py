"""Decides windows: merges what the source partitions hold of each series, cut by cut.

A cut D lies 1 s after the end of a bucket of 10 s. It is decided once every source partition has
advanced to it, and then gives, in this order:

- `WindowClosed(final=True)` of the windows that ended 10 s before, for the series of which events
  have come since they were decided;
- `WindowClosed` of the windows of 10 s, 1 min, 5 min and 1 h that end 1 s before D, for each series
  that has any measurement in them, and of the newest 1,000 appended in the hour before D, for those
  of which a tenth is new, and at the end of a minute for each that has any;
- `WindowsDecided`.

A partial says all that a source partition holds of a series in a bucket, so a newer one replaces
it until its cut is decided; after that it is a repetition, and changes nothing.

Which cuts are decided depends on the facts alone, not on the order in which partitions report:
every one until 70 min after the last that brought data, so that rules on missing data and on
durations are judged step by step; after that, those to which some source partition says that it
advanced. So a silence of days takes as many steps as there are reports, and its last step is one
of them. What a series had more than an hour ago is forgotten, so a fold that starts 70 min of
event time earlier decides the same.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from modeltrail.processors.windows.arrivals import Arrivals
from modeltrail.processors.windows.arriving import Arriving
from modeltrail.processors.windows.closed import closed_last_1000, closed_windows
from modeltrail.processors.windows.last_1000 import Last1000
from modeltrail.processors.windows.series import SeriesRows
from modeltrail.processors.windows.single_series import as_partials, as_recent
from modeltrail.processors.windows.sketches import merged, rows_that_differ
from modeltrail.processors.windows.tiers import BUCKET_S, Tiers
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    Fact,
    PartialWindow,
    PartialWindows,
    PartitionAdvanced,
    RecentMeasured,
    RecentMeasurements,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import Micros, derived_event_id

_SECOND_US = 1_000_000
_BUCKET_US = BUCKET_S * _SECOND_US
#: The longest window is 1 h and ends every 5 min; then it is empty too.
SETTLED_S = 70 * 60
_SWEEP_S = 300


@dataclass(slots=True)
class _Arrived:
    """What has come for one cut."""

    decided: Arrivals = field(default_factory=Arrivals)
    final: Arrivals = field(default_factory=Arrivals)
    recent: Arriving = field(default_factory=Arriving)


class MergeFold:
    """Merges the partials in one partition of `windows`; cuts are named by the end they decide."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._source_partitions = 0
        self._reached: dict[int, int] = {}
        self._pending: dict[int, _Arrived] = {}
        # A heap of the cuts that some fact speaks of; it may hold one twice.
        self._announced: list[int] = []
        self._decided = -1
        self._newest_data: int | None = None
        self._rows = SeriesRows()
        self._tiers = Tiers()
        self._last_1000 = Last1000()
        self._unamended = Arrivals()

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        """Take the next record of the partition; give what is decided by it."""
        match record.fact:
            case PartialWindows() as partials:
                self._take_partials(partials)
            case PartialWindow() as partial:
                self._take_partials(as_partials(partial))
            case RecentMeasurements() as recent:
                self._take_recent(recent)
            case RecentMeasured() as recent:
                self._take_recent(as_recent(recent))
            case PartitionAdvanced() as advance:
                return self._advance(advance)
        return ()

    def _take_partials(self, partials: PartialWindows) -> None:
        end_s = partials.end // _SECOND_US
        arrived = self._arrived(end_s + BUCKET_S if partials.final else end_s)
        if arrived is not None:
            (arrived.final if partials.final else arrived.decided).add(partials, self._rows)

    def _take_recent(self, recent: RecentMeasurements) -> None:
        end_s = _end_s(recent.advanced_to)
        arrived = self._arrived(end_s)
        if arrived is None:
            return
        many = arrived.recent.add(recent)
        if end_s == self._decided + BUCKET_S:
            for series, count in many:
                self._last_1000.make_room(series, count)

    def _arrived(self, end_s: int) -> _Arrived | None:
        """What has come for a cut; None once it is decided."""
        if end_s <= self._decided:
            return None
        if end_s not in self._pending:
            self._pending[end_s] = _Arrived()
            heappush(self._announced, end_s)
        return self._pending[end_s]

    def _advance(self, advance: PartitionAdvanced) -> tuple[Fact, ...]:
        source, end_s = advance.source_partition, _end_s(advance.advanced_to)
        self._source_partitions = max(self._source_partitions, advance.source_partitions)
        if end_s <= self._reached.get(source, -1):
            return ()
        self._reached[source] = end_s
        heappush(self._announced, end_s)
        if len(self._reached) < self._source_partitions:
            return ()
        facts: list[Fact] = []
        reached = min(self._reached.values())
        while (following := self._next_cut()) is not None and following <= reached:
            facts += self._decide(following)
        return tuple(facts)

    def _next_cut(self) -> int | None:
        if self._newest_data is not None and self._decided < self._newest_data + SETTLED_S:
            return self._decided + BUCKET_S
        while self._announced and self._announced[0] <= self._decided:
            heappop(self._announced)
        return self._announced[0] if self._announced else None

    def _decide(self, end_s: int) -> list[Fact]:
        arrived = self._pending.pop(end_s, None)
        if arrived is not None:
            self._newest_data = end_s
        else:
            arrived = _Arrived()
        facts: list[Fact] = [*self._amend(end_s - BUCKET_S, arrived.final)]
        bucket = arrived.decided.sketches(arrived.decided.parts)
        for window in self._tiers.close(end_s, bucket):
            facts += closed_windows(window, self._rows, final=False)
        self._last_1000.absorb(arrived.recent, (end_s + 1) * 1000)
        facts += [closed_last_1000(*each, end_s) for each in self._last_1000.described(end_s)]
        self._decided = end_s
        self._unamended = arrived.decided
        if end_s % _SWEEP_S == 0:
            self._forget_rows()
        return [*facts, _decided(self._partition, Micros(end_s * _SECOND_US))]

    def _amend(self, end_s: int, final: Arrivals) -> list[WindowClosed]:
        """The windows that ended with the last bucket, for those whom late events changed."""
        if not final:
            return []
        named = {series for series, _ in final.parts}
        others = [
            part for part in self._unamended.parts if part[0] in named and part not in final.parts
        ]
        bucket = merged([final.sketches(final.parts), self._unamended.sketches(others)])
        before = self._tiers.bucket(end_s)
        before = before.where(np.isin(before.rows, self._rows.rows_of(named)))
        changed = {self._rows.name_of(row)[0] for row in rows_that_differ(before, bucket).tolist()}
        if not changed:
            return []
        rows = np.array(self._rows.rows_of(changed))
        windows = self._tiers.amend(end_s, rows, bucket.where(np.isin(bucket.rows, rows)))
        return [
            closed
            for window in windows
            for closed in closed_windows(window, self._rows, final=True)
        ]

    def _forget_rows(self) -> None:
        used = {row for table in self._tiers.tables() for row in table.rows.tolist()}
        for arrived in self._pending.values():
            used |= arrived.decided.rows | arrived.final.rows
        self._rows.keep(used | self._unamended.rows)


def _end_s(advanced_to: int) -> int:
    """The end of the bucket that a cut decides."""
    return (advanced_to - _SECOND_US) // _BUCKET_US * BUCKET_S


def _decided(partition: int, end: Micros) -> WindowsDecided:
    return WindowsDecided(derived_event_id(WindowsDecided.record, partition, end), partition, end)
