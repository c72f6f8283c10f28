"""The next event is prepared while one is worked on; order and faults stay the caller's."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from modeltrail.processors.batching import prepared_ahead


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


def test_events_come_in_order_with_what_was_prepared() -> None:
    async def slower_for_some(number: int) -> int:
        for _ in range(number % 3):
            await asyncio.sleep(0)
        return 2 * number

    async def check() -> None:
        ahead = prepared_ahead(numbers(9), slower_for_some)
        assert [(event, await prepared) async for event, prepared in ahead] == [
            (number, 2 * number) for number in range(9)
        ]

    run(check())


def test_the_next_event_is_prepared_while_one_is_worked_on_but_no_more() -> None:
    begun: list[int] = []

    async def prepare(number: int) -> None:
        begun.append(number)

    async def check() -> None:
        async for event, _ in prepared_ahead(numbers(9), prepare):
            if event == 0:
                for _ in range(50):
                    await asyncio.sleep(0)
                assert begun == [0, 1]

    run(check())


def test_a_fault_of_preparing_is_raised_where_it_is_awaited() -> None:
    async def fail(number: int) -> int:
        if number == 1:
            raise ValueError
        return number

    async def check() -> None:
        seen: list[int] = []
        async for event, prepared in prepared_ahead(numbers(3), fail):
            if event == 1:
                with pytest.raises(ValueError):  # noqa: PT011
                    await prepared
            else:
                seen.append(await prepared)
        assert seen == [0, 2]

    run(check())


def test_a_fault_of_the_stream_is_raised_after_what_came_before_it() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ConnectionError

    async def prepare(number: int) -> int:
        return number

    seen: list[int] = []

    async def check() -> None:
        async for _, prepared in prepared_ahead(broken(), prepare):
            seen.append(await prepared)

    with pytest.raises(ConnectionError):
        run(check())
    assert seen == [1]
