"""Works on several partitions at once, and on what comes of one partition in its order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

Event = TypeVar("Event")


async def abreast(
    events: AsyncIterator[Event],
    partition_of: Callable[[Event], int],
    work: Callable[[Event], Coroutine[Any, Any, None]],
) -> None:
    """Give each event to `work`, as soon as it is done with the one before of its partition.

    At most one event a partition is worked on, and one more is taken from the stream.

    Raises:
        ExceptionGroup: `work` or the stream failed; whatever else was at work was cancelled.
    """
    at_work: dict[int, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        async for event in events:
            partition = partition_of(event)
            if (before := at_work.get(partition)) is not None:
                await before
            at_work[partition] = group.create_task(work(event))
