"""Partitions are worked on side by side, events of one in order, and faults are not lost."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from modeltrail.processors.batching import abreast

Event = tuple[int, int]
"""A partition, and a number in it."""


async def stream(*events: Event) -> AsyncIterator[Event]:
    for event in events:
        yield event


def partition_of(event: Event) -> int:
    return event[0]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


def test_a_slow_partition_does_not_hold_up_another() -> None:
    done: list[Event] = []
    others_are_done = asyncio.Event()

    async def work(event: Event) -> None:
        if event == (0, 0):
            await others_are_done.wait()
        done.append(event)
        if event == (1, 1):
            others_are_done.set()

    run(abreast(stream((0, 0), (1, 0), (1, 1)), partition_of, work))

    assert done == [(1, 0), (1, 1), (0, 0)]


def test_events_of_a_partition_are_worked_on_one_at_a_time_in_their_order() -> None:
    steps: list[tuple[str, int]] = []

    async def work(event: Event) -> None:
        steps.append(("begun", event[1]))
        for _ in range(10):
            await asyncio.sleep(0)
        steps.append(("done", event[1]))

    run(abreast(stream((0, 0), (0, 1), (0, 2)), partition_of, work))

    assert steps == [(what, number) for number in range(3) for what in ("begun", "done")]


def test_everything_is_done_before_it_returns() -> None:
    done: list[Event] = []

    async def work(event: Event) -> None:
        await asyncio.sleep(0)
        done.append(event)

    run(abreast(stream((0, 0), (1, 0)), partition_of, work))

    assert sorted(done) == [(0, 0), (1, 0)]


def test_a_fault_ends_what_else_is_at_work() -> None:
    ended: list[Event] = []

    async def work(event: Event) -> None:
        if event[0] == 1:
            raise ValueError(event)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event)

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        run(abreast(stream((0, 0), (1, 0)), partition_of, work))
    assert ended == [(0, 0)]


def test_a_fault_of_the_stream_is_raised() -> None:
    async def broken() -> AsyncIterator[Event]:
        yield (0, 0)
        raise ConnectionError

    async def work(event: Event) -> None:
        del event

    with pytest.raises(ExceptionGroup) as raised:
        run(abreast(broken(), partition_of, work))
    assert raised.group_contains(ConnectionError)
