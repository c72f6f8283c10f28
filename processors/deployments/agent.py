"""Runs deployments on the partitions of one worker: records as they come, and time.

Answers are acknowledged by the broker before a record is; decisions are made in one place, the
loop of ticks, which runs when there is news and about every quarter second while anything runs.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from modeltrail.infra.clock import Clock
from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.deployments.log import DeploymentLog, Place
from modeltrail.processors.deployments.partition import DeploymentsPartition
from modeltrail.processors.patience import patiently
from modeltrail.schemas.events import Fact

_BUSY_S, _IDLE_S = 0.25, 1.0

Publish = Callable[[Iterable[Fact]], Awaitable[object]]


@dataclass(slots=True)
class DeploymentsAgent:
    """The deployments of one worker.

    Attributes:
        make: makes the empty state of a partition.
        source: where other facts than those of the deployments topic are.
        publish: appends facts and returns once the broker has acknowledged them.
        clock: tells deadlines.
    """

    make: Callable[[int], DeploymentsPartition]
    source: DeploymentLog
    publish: Publish
    clock: Clock
    _held: dict[int, DeploymentsPartition] = field(default_factory=dict)
    _locks: defaultdict[int, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, partition: int, record: LogRecord) -> None:
        """Absorb a record of the deployments topic; what follows is appended on return."""
        async with self._locks[partition]:
            held = await self._partition(partition)
            await self.publish(await patiently(partial(held.absorb, record)))
        self._news.set()

    async def tick(self, assigned: Iterable[int]) -> None:
        """Decide what time and other topics call for, in the partitions of this worker."""
        mine = set(assigned)
        for number in set(self._held) - mine:
            del self._held[number]
        for number in sorted(mine):
            async with self._locks[number]:
                held = await self._partition(number)
                now_us = self.clock.now_us()
                await self.publish(await patiently(partial(held.tick, now_us)))
        followed = set[Place]().union(*(held.follows for held in self._held.values()))
        await asyncio.to_thread(self.source.keep, followed)

    async def news(self) -> None:
        """Return when a record was absorbed, or when it is time to look again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _BUSY_S if self._is_busy() else _IDLE_S)
        self._news.clear()

    def _is_busy(self) -> bool:
        return any(held.is_busy for held in self._held.values())

    async def _partition(self, number: int) -> DeploymentsPartition:
        if number not in self._held:
            held, facts = await patiently(partial(self._replayed, number))
            await self.publish(facts)
            self._held[number] = held
        return self._held[number]

    def _replayed(self, number: int) -> tuple[DeploymentsPartition, list[Fact]]:
        held = self.make(number)
        return held, held.replay()
