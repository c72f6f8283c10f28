"""Runs the fold of measurements, stage 1: whole fetches in, acknowledged facts out.

No table holds a fold's state. When a partition is assigned its fold is made anew, and the log is
read from the committed offset on. That one lags: it is the fold's own `resume_from`, from which on
the log gives back the state and every fact that may not have been published, under the same id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from modeltrail.infra.clock import Clock
from modeltrail.processors.batching import FetchBatch
from modeltrail.processors.patience import patiently
from modeltrail.processors.windows.reading import Batch
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, InferenceMeasured, MeasurementSampled, TimeMarked
from modeltrail.schemas.ids import derived_event_id

#: A rule counts from 2 s after its append, so this much of the control topics may be unread.
CONTROL_LAG_MS = 2_000
#: Cuts of time are every 10 s, a second after the buckets end.
CUT_EVERY_MS = 10_000
CUT_AFTER_MS = 1_000
#: How long the log is given to show by itself that a cut has passed.
MARK_AFTER_MS = 50


class Fold(Protocol):
    """The pure fold of one partition."""

    def absorb_control(self, record: Appended) -> None:
        """Take a fact of a control topic."""
        ...

    def restore_samples(self, samples: Sequence[MeasurementSampled]) -> None:
        """Take what was sampled before, oldest first."""
        ...

    def absorb(self, batch: Batch) -> Iterator[Fact]:
        """Take the next records of the partition; give what follows, to be read to its end."""
        ...

    def resume_from(self) -> int:
        """The offset to start from again, once all facts given so far are in the log."""
        ...


class Control(Protocol):
    """The facts of the control topics; calls may block."""

    def records_since(self, index: int) -> list[Appended]:
        """Those after the first `index` ones."""
        ...

    def wait_until_complete(self, appended_ms: int) -> None:
        """Return once everything appended by then is known."""
        ...


@dataclass(slots=True)
class _Partition:
    """What is known of a partition in this generation of the consumer group."""

    fold: Fold
    control_index: int = 0
    resume_from: int | None = None


@dataclass(slots=True)
class MeasurementsAgent:
    """Stage 1 of one worker.

    Attributes:
        make_fold: gives the fold of a partition; told whether it gets all there ever was.
        read_samples: gives the newest of what was sampled in a partition, oldest first; may block.
        control: rules and registry.
        codec: decodes the records.
        publish: reads facts, in a thread, and appends them in order; gives the append time, ms,
            once all are acknowledged.
        clock: says when a cut of time has passed.
    """

    make_fold: Callable[[int, bool], Fold]
    read_samples: Callable[[int], Sequence[MeasurementSampled]]
    control: Control
    codec: Codec
    publish: Callable[[Iterable[Fact]], Awaitable[int]]
    clock: Clock
    _generation: int = -1
    _partitions: dict[int, _Partition] = field(default_factory=dict)
    _newest_ms: dict[int, int] = field(default_factory=dict)

    async def handle(self, fetch: FetchBatch) -> None:
        """Fold one fetch; what follows from it is acknowledged when this returns.

        Fetches of other partitions may be handled meanwhile, those of one follow each other.
        """
        self._saw(fetch.partition, int(fetch.appended_ms[-1]))
        mine = await self._partition(fetch)
        if mine is None:
            return
        # Both in a thread, and no more of them: each costs a small fetch as much as folding it.
        batch = await patiently(partial(self._read, fetch))
        await self.publish(self._absorb(mine, batch))
        mine.resume_from = mine.fold.resume_from()

    def resume_from(self, partition: int) -> int | None:
        """The offset that may be committed; None: none yet."""
        mine = self._partitions.get(partition)
        return mine.resume_from if mine else None

    async def mark_time(self, assigned: Collection[int]) -> None:
        """Append a TimeMarked to each partition whose log does not show that a cut has passed."""
        cut_ms = _last_cut(self.clock.now_us() // 1000)
        silent = [p for p in assigned if self._newest_ms.get(p, 0) <= cut_ms]
        await asyncio.gather(*(self._mark(partition, cut_ms) for partition in silent))

    def seconds_to_cut(self) -> float:
        """How long until `mark_time` is due next, s."""
        now_ms = self.clock.now_us() / 1000
        next_cut_ms = _last_cut(int(now_ms)) + CUT_EVERY_MS
        return (next_cut_ms + MARK_AFTER_MS - now_ms) / 1000

    async def _mark(self, partition: int, cut_ms: int) -> None:
        event_id = derived_event_id(TimeMarked.record, partition, cut_ms)
        # The broker's clock decides; where it is behind ours, the next call marks again.
        self._saw(partition, await self.publish([TimeMarked(event_id, partition)]))

    def _saw(self, partition: int, appended_ms: int) -> None:
        self._newest_ms[partition] = max(self._newest_ms.get(partition, 0), appended_ms)

    async def _partition(self, fetch: FetchBatch) -> _Partition | None:
        """The partition's state; None where the fetch is of a generation that is over."""
        if fetch.generation > self._generation:
            # Every partition is read from its committed offset again, by us or by others.
            self._generation = fetch.generation
            self._partitions.clear()
        if fetch.generation < self._generation:
            return None
        if (known := self._partitions.get(fetch.partition)) is not None:
            return known
        fold = self.make_fold(fetch.partition, int(fetch.offsets[0]) == 0)
        fold.restore_samples(await patiently(partial(self.read_samples, fetch.partition)))
        if fetch.generation < self._generation:
            return None
        return self._partitions.setdefault(fetch.partition, _Partition(fold))

    def _read(self, fetch: FetchBatch) -> Batch:
        """What the fetch says, once all is known that it is folded with."""
        batch = Batch(fetch.offsets, fetch.appended_ms, decode_batch(fetch.values, self.codec))
        self.control.wait_until_complete(_control_needed_ms(batch))
        return batch

    def _absorb(self, mine: _Partition, batch: Batch) -> Iterator[Fact]:
        for record in self.control.records_since(mine.control_index):
            mine.fold.absorb_control(record)
            mine.control_index += 1
        yield from mine.fold.absorb(batch)


def _control_needed_ms(batch: Batch) -> int:
    """The append time, ms, up to which the control topics must be known to fold `batch`."""
    newest_ms = int(batch.appended_ms[-1])
    measured = batch.decoded.frames.get(InferenceMeasured.record)
    if measured is None or not measured["extra_names"].list.len().sum():
        return newest_ms - CONTROL_LAG_MS
    # Extra metrics count from the append of the registration that declares them.
    return newest_ms


def _last_cut(now_ms: int) -> int:
    """The append time, ms, of the last cut that should show in the log by now."""
    since = now_ms - CUT_AFTER_MS - MARK_AFTER_MS
    return since // CUT_EVERY_MS * CUT_EVERY_MS + CUT_AFTER_MS
