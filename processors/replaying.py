"""Drives folds over a partition of the `windows` topic: state from the log, then live.

No table holds a fold's state. When a partition is assigned, the end of its log is folded again, as
far back as the state of any fold reaches; what the log has already is not published again, so a
process that was killed between input and output only adds what is missing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.log_reader import LogRecord, PartitionReader
from modeltrail.processors.patience import persistently
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    AlertState,
    Fact,
    PartitionAdvanced,
    ValueBreached,
    WindowsDecided,
)
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import ALERTS, WINDOWS, Topic

log = logging.getLogger(__name__)

#: The longest state is that of change points: two hours, and the hour that a window takes.
HORIZON_US = 190 * 60 * 1_000_000
_STEP_MS = HORIZON_US // 1000


class PartitionFold(Protocol):
    """A pure fold over one partition: the same records give the same facts."""

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        """Take the next record of the partition, or a fact of a control topic."""
        ...


@dataclass(slots=True)
class FoldedPartition:
    """One partition and its folds.

    Attributes:
        merge: the fold that decides windows; it needs everything.
        judges: the folds that read what was decided.
        control: rules and registry, fed before they are needed.
        codec: decodes the records.
    """

    partition: int
    merge: PartitionFold
    judges: Sequence[PartitionFold]
    control: ControlLog
    codec: Codec
    next_offset: int = 0
    _control_index: int = field(default=0)

    def absorb(self, record: LogRecord) -> tuple[Fact, ...]:
        """Fold one record and give the facts that follow from it; known offsets give none."""
        appended = self._next(record)
        return self._fold(appended, [self.merge, *self.judges]) if appended else ()

    def replay(
        self,
        windows: Iterable[LogRecord],
        alerts: Iterable[LogRecord],
        *,
        from_beginning: bool,
    ) -> tuple[Fact, ...]:
        """Fold the end of the log again and give the facts that are missing in it.

        Args:
            windows: the records of this partition of `windows`.
            alerts: all records of this partition of `alerts`.
            from_beginning: whether `windows` begins with the first record there ever was.
        """
        steps = [fact for record in alerts if (fact := self._decode(record)) is not None]
        published = {step.event_id for step in steps}
        restored_until = None
        if from_beginning:
            restored_until = -1
        missing: dict[EventId, Fact] = {}
        for record in windows:
            appended = self._next(record)
            if appended is None:
                continue
            fact = appended.fact
            published.add(fact.event_id)
            missing.pop(fact.event_id, None)
            if restored_until is not None:
                found = self._fold(appended, [self.merge, *self.judges])
            else:
                found = self._fold(appended, [self.merge])
                if isinstance(fact, WindowsDecided):
                    # What was decided before this is complete in the log, and may not be here.
                    restored_until = fact.end
                    self._restore(steps, appended)
                    missing.clear()
                    continue
            missing |= {each.event_id: each for each in found if each.event_id not in published}
        if restored_until is None:
            missing.clear()
        return tuple(
            fact for fact in missing.values() if (_end_of(fact) or 0) > (restored_until or 0)
        )

    def _restore(self, steps: Sequence[Fact], decided: Appended) -> None:
        # The newest too: a judge says nothing again that is not after the last step of its alert.
        for judge in self.judges:
            for step in steps:
                if isinstance(step, AlertState):
                    judge.absorb(Appended(self.partition, -1, decided.appended_ms, step))
            judge.absorb(decided)

    def _next(self, record: LogRecord) -> Appended | None:
        if record.offset < self.next_offset:
            return None
        self.next_offset = record.offset + 1
        fact = self._decode(record)
        if fact is None:
            return None
        return Appended(self.partition, record.offset, record.appended_ms, fact)

    def _decode(self, record: LogRecord) -> Fact | None:
        if record.value is None:
            return None
        try:
            return persistently(partial(self.codec.decode, record.value))
        except DecodeError as error:
            # The projector reads this topic too and files the dead letter.
            log.warning("record skipped: %s", error)
            return None

    def _fold(self, record: Appended, folds: Sequence[PartitionFold]) -> tuple[Fact, ...]:
        if (needed_ms := _decides_as_of_ms(record.fact)) is not None:
            persistently(partial(self.control.wait_until_complete, needed_ms))
            self._take_control_facts()
        return tuple(fact for fold in folds for fact in fold.absorb(record))

    def _take_control_facts(self) -> None:
        for record in self.control.records_since(self._control_index):
            self._control_index += 1
            for fold in (self.merge, *self.judges):
                fold.absorb(record)


def replay_from_log(
    folded: FoldedPartition,
    open_reader: Callable[[Topic], PartitionReader],
) -> tuple[Fact, ...]:
    """Bring the folds of a newly assigned partition up to the end of its log.

    Args:
        folded: the partition, with new folds.
        open_reader: gives a reader of this partition of a topic.

    Returns:
        The facts that follow from the log and are not in it.

    Raises:
        Unavailable: the broker did not answer.
    """
    with closing(open_reader(WINDOWS)) as windows, closing(open_reader(ALERTS)) as alerts:
        low, end = windows.bounds()
        first = _first_offset(windows, low, end, folded.codec)
        folded.next_offset = first
        missing = folded.replay(
            windows.read(first, end),
            alerts.read(*alerts.bounds()),
            from_beginning=first == 0,
        )
        folded.next_offset = end
        log.info("partition %d: folded offsets %d to %d again", folded.partition, first, end)
        return missing


def _first_offset(reader: PartitionReader, low: int, end: int, codec: Codec) -> int:
    """An offset before which no record matters to the state at `end`."""
    if low == end:
        return low
    last = next(reader.read(end - 1, end), None)
    if last is None:
        return low
    back_ms = _STEP_MS
    while True:
        first = reader.offset_at(max(last.appended_ms - back_ms, 0))
        if first is None or first <= low:
            return low
        # A worker that fell behind appended less event time in the same time.
        if _event_time_us(reader, first, end, codec) >= HORIZON_US:
            return first
        back_ms *= 4


def _event_time_us(reader: PartitionReader, first: int, end: int, codec: Codec) -> int:
    earliest = next(_advances(reader.read(first, end), codec), None)
    latest = None
    step = 1_000
    while latest is None and step < 4 * (end - first):
        latest = max(_advances(reader.read(max(end - step, first), end), codec), default=None)
        step *= 4
    return latest - earliest if latest is not None and earliest is not None else 0


def _advances(records: Iterator[LogRecord], codec: Codec) -> Iterator[int]:
    for record in records:
        if record.value is not None:
            try:
                fact = codec.decode(record.value)
            except DecodeError:
                continue
            if isinstance(fact, PartitionAdvanced):
                yield fact.advanced_to


def _end_of(fact: Fact) -> int | None:
    end = getattr(fact, "end", None)
    return end if end is not None else getattr(fact, "occurred_at", None)


def _decides_as_of_ms(fact: Fact) -> int | None:
    """The append time, ms, up to which rules must be known to fold `fact`; None: none needed."""
    if isinstance(fact, WindowsDecided):
        return fact.end // 1000
    if isinstance(fact, ValueBreached):
        return fact.appended_at // 1000
    return None
