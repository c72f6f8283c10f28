"""Runs the folds of the `windows` topic: one set a partition, made anew when it is assigned."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.batching import FetchBatch
from modeltrail.processors.patience import patiently
from modeltrail.processors.replaying import FoldedPartition
from modeltrail.schemas.events import Fact

Publish = Callable[[Sequence[Fact]], Awaitable[object]]


@dataclass(slots=True)
class WindowsAgent:
    """The folds of one worker's partitions of `windows`.

    Attributes:
        make: gives the folds of a partition, as of its beginning.
        replay: brings them up to the end of the log; gives what is missing there; may block.
        publish: appends facts in order and returns once the broker has acknowledged all.
    """

    make: Callable[[int], FoldedPartition]
    replay: Callable[[FoldedPartition], tuple[Fact, ...]]
    publish: Publish
    _folded: dict[int, tuple[int, FoldedPartition]] = field(default_factory=dict)

    async def handle(self, batch: FetchBatch) -> None:
        """Fold one fetch; what follows from it is acknowledged when this returns."""
        folded = await self._partition(batch.partition, batch.generation)
        # In a thread: a decision about thousands of series must not hold heartbeats up.
        facts = await asyncio.to_thread(_absorb_all, folded, batch)
        await self.publish(facts)

    async def _partition(self, partition: int, generation: int) -> FoldedPartition:
        known = self._folded.get(partition)
        if known is not None and known[0] == generation:
            return known[1]
        folded, missing = await patiently(partial(self._replayed, partition))
        await self.publish(missing)
        self._folded[partition] = generation, folded
        return folded

    def _replayed(self, partition: int) -> tuple[FoldedPartition, tuple[Fact, ...]]:
        folded = self.make(partition)
        return folded, self.replay(folded)


def _absorb_all(folded: FoldedPartition, batch: FetchBatch) -> list[Fact]:
    records = zip(batch.offsets.tolist(), batch.appended_ms.tolist(), batch.values, strict=True)
    return [fact for record in records for fact in folded.absorb(LogRecord(*record))]
