"""The agent appends what follows before it returns, reads what others wrote, and starts over."""

import asyncio
from collections.abc import Iterable
from typing import Any

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.deployments.agent import DeploymentsAgent
from modeltrail.processors.deployments.partition import DeploymentsPartition
from modeltrail.schemas.events import Fact, RoutingSet, StepStarted
from modeltrail.schemas.topics import DEPLOYMENTS
from tests.deployment_world import CODEC, MemoryControl, MemoryLog, World


class Desk:
    """An agent on the log of a world; what it publishes goes into that log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: MemoryLog = world.log
        self.made = 0
        self.published: list[Fact] = []
        self.agent = DeploymentsAgent(
            self.make, self.log, self.publish, ManualClock(world.now_ms * 1000)
        )

    def make(self, number: int) -> DeploymentsPartition:
        self.made += 1
        control: Any = MemoryControl(self.log)
        return DeploymentsPartition(number, CODEC, control, self.log)

    async def publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.published.append(fact)
            self.world.append(fact)

    def record(self, offset: int) -> LogRecord:
        return self.log.records[DEPLOYMENTS][offset]


def deployed() -> World:
    """v1.0.0 has all traffic."""
    world = World()
    world.deploy("v1.0.0")
    world.advance(10)
    return world


def test_a_start_publishes_the_routing_that_follows_from_the_log() -> None:
    desk = Desk(deployed())
    asyncio.run(desk.agent.tick([0]))
    (routing, _) = (each for each in desk.published if isinstance(each, RoutingSet))
    assert (routing.environment, routing.revision) == ("production", 2)


def test_records_that_another_worker_read_are_read_before_the_next_one() -> None:
    async def scene() -> None:
        # given an agent that has read the log as far as it goes
        world = deployed()
        desk = Desk(world)
        await desk.agent.tick([0])
        # when others append, and it gets only the last record
        world.deploy("v2.0.0")
        world.settle()
        last = len(desk.log.records[DEPLOYMENTS]) - 1
        await desk.agent.handle(0, desk.record(last))
        # then it goes on from there, and what it knows already changes nothing
        before = len(desk.published)
        for offset in range(last):
            await desk.agent.handle(0, desk.record(offset))
        assert len(desk.published) == before
        begun = {each.event_id for each in world.facts(StepStarted)}
        await desk.agent.tick([0])
        new = [each for each in desk.published[before:] if isinstance(each, StepStarted)]
        assert not begun & {each.event_id for each in new}

    asyncio.run(scene())


def test_a_partition_that_went_away_is_read_anew_when_it_comes_back() -> None:
    async def scene() -> None:
        desk = Desk(deployed())
        for assigned in ([0], [0], [], [0]):
            await desk.agent.tick(assigned)
        assert desk.made == 2

    asyncio.run(scene())


def test_news_let_it_look_at_once() -> None:
    async def scene() -> None:
        desk = Desk(deployed())
        await desk.agent.handle(0, desk.record(0))
        # Without the news it would wait for a quarter second at least.
        await asyncio.wait_for(desk.agent.news(), 0.2)

    asyncio.run(scene())
