"""Keeps what one partition owes one destination, and says up to where the log is delivered.

Records before `start.live_from` were delivered in an earlier life: they only bring the fold to
where it was. From there on each step waits until it was taken; those after it wait behind it.
"""

from collections import deque
from dataclasses import dataclass

from modeltrail.schemas.appended import Appended
from modeltrail.sinks.delivery.fold import DeliveryFold, Policy, Step


@dataclass(frozen=True, slots=True)
class Start:
    """`live_from` is the first offset to deliver; `begins`: open alerts are told before it."""

    live_from: int
    begins: bool = False


class Lane:
    """One partition on its way to one destination."""

    def __init__(self, policy: Policy, start: Start, first_offset: int) -> None:
        self._fold = DeliveryFold(policy)
        self._live_from = start.live_from
        self._begins = start.begins
        self._live = False
        self._position = first_offset
        self._next_offset = first_offset
        self._end = first_offset
        self._records: deque[tuple[int, Appended | None]] = deque()
        self._steps: deque[Step] = deque()
        self._done: int | None = None if start.begins else start.live_from
        self._failures = 0

    @property
    def held(self) -> int:
        """The records that wait in memory."""
        return len(self._records)

    def offer(self, offset: int, record: Appended | None) -> None:
        """Take the record at `offset`; None is one that is no fact."""
        if offset >= self._next_offset:
            self._next_offset = offset + 1
            self._records.append((offset, record))

    def reached_end(self, offset: int) -> None:
        """The partition has no record before `offset` that was not offered."""
        self._end = offset

    def next_step(self, now_us: int) -> Step | None:
        """The step to deliver; the same until it `was_taken`; None: there is nothing to tell."""
        while not self._steps:
            if not self._live and self._position >= self._live_from:
                self._live = True
                if self._begins:
                    self._steps.extend(self._fold.begin(now_us))
            elif self._records and self._records[0][0] < self._live_from:
                # Told in an earlier life.
                self._absorb()
            elif not self._live and (self._records or self._end >= self._live_from):
                # Offsets have gaps where the log holds no record.
                self._position = self._live_from
            elif self._records:
                self._steps.extend(self._absorb())
            elif self._live and (due := self._fold.due(now_us)):
                self._steps.extend(due)
            else:
                return None
        return self._steps[0]

    def was_taken(self) -> None:
        """The step at hand needs no delivery any more."""
        self._steps.popleft()
        self._failures = 0

    def was_not_taken(self) -> int:
        """The step at hand is to be tried again; how often in a row it was tried."""
        self._failures += 1
        return self._failures

    def reminders(self, now_us: int) -> tuple[Step, ...]:
        """The open alerts that the destination knows."""
        return self._fold.open_at(now_us) if self._live else ()

    @property
    def done(self) -> int | None:
        """The offset before which everything is delivered; None while a beginning is not."""
        if self._live and not self._steps:
            self._done = self._position
        return self._done

    def _absorb(self) -> tuple[Step, ...]:
        offset, record = self._records.popleft()
        self._position = offset + 1
        return () if record is None else self._fold.absorb(record)
