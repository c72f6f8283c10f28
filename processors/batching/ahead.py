"""Prepares the next event of a stream while the one before is being worked on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

Event = TypeVar("Event")
Prepared = TypeVar("Prepared")


async def prepared_ahead(
    events: AsyncIterator[Event], prepare: Callable[[Event], Coroutine[Any, Any, Prepared]]
) -> AsyncIterator[tuple[Event, asyncio.Task[Prepared]]]:
    """Yield each event, in order, with the task that prepares it; one is prepared ahead.

    What `prepare` raises is raised where its task is awaited, and what `events` raises after the
    events before it.
    """
    waiting: asyncio.Queue[tuple[Event, asyncio.Task[Prepared]] | None] = asyncio.Queue()
    # The one that is worked on, and the next.
    room = asyncio.Semaphore(2)

    async def read() -> None:
        try:
            async for event in events:
                await room.acquire()
                waiting.put_nowait((event, asyncio.create_task(prepare(event))))
        finally:
            waiting.put_nowait(None)

    reader = asyncio.create_task(read())
    try:
        while (item := await waiting.get()) is not None:
            yield item
            room.release()
        await reader
    finally:
        reader.cancel()
