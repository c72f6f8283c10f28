"""Appends facts to their topics, in order, and never tells progress before what it is about."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice

from modeltrail.processors.appending import Outgoing
from modeltrail.processors.patience import persistently
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    Fact,
    OfManySeries,
    PartitionAdvanced,
    TimeMarked,
    WindowsDecided,
)
from modeltrail.schemas.topics import TOPICS, Topic, key_of

#: The largest facts hold measurements: an eighth of a megabyte, or one series.
_MOST_RECORDS = 256
_MOST_BYTES = 1024 * 1024
_MOST_AT_ONCE = 64

#: Appends records, in order within each partition; gives the newest append time, ms, once every
#: replica has all of them, or raises. Blocks.
Append = Callable[[Sequence[Outgoing]], int]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes facts.

    Attributes:
        codec: encodes them.
        prefix: of every topic name.
        append: brings them into the log.
    """

    codec: Codec
    prefix: str
    append: Append

    async def publish(self, facts: Iterable[Fact]) -> int:
        """Append `facts` in order and return once the broker has acknowledged all of them.

        They are read in a thread, and only so many at once that they stay few in memory. Some
        say that what came before them is in the log: a producer may lose a record and deliver the
        next, so such facts wait for all others, and others wait for them.

        Returns:
            The newest append time, ms; 0 where there was no fact.

        Raises:
            Exception: a record was not appended; the facts after it may have been, or not.
        """
        return await asyncio.to_thread(self._append_all, facts)

    def _append_all(self, facts: Iterable[Fact]) -> int:
        return max(map(self.append, self._groups(facts)), default=0)

    def _groups(self, facts: Iterable[Fact]) -> Iterator[list[Outgoing]]:
        """Those that may be on their way together."""
        for _, alike in groupby(facts, key=_tells_progress):
            group: list[Outgoing] = []
            size = 0
            for outgoing in self._outgoing(alike):
                group.append(outgoing)
                size += len(outgoing.value)
                if len(group) == _MOST_RECORDS or size >= _MOST_BYTES:
                    yield group
                    group, size = [], 0
            if group:
                yield group

    def _outgoing(self, facts: Iterable[Fact]) -> Iterator[Outgoing]:
        for alike in _encoded_at_once(facts):
            values = persistently(partial(self.codec.encode_all, alike))
            yield from map(self._addressed, alike, values)

    def _addressed(self, fact: Fact, value: bytes) -> Outgoing:
        topic = _TOPIC_OF[type(fact)]
        partition = getattr(fact, "partition", None)
        return Outgoing(
            topic=topic.full_name(self.prefix),
            key=key_in(topic, fact) if partition is None else None,
            partition=partition,
            value=value,
        )


def key_in(topic: Topic, fact: Fact) -> bytes:
    """The key that `topic` gives to `fact`: what its fields named in `Topic.key` hold."""
    return key_of(*(getattr(fact, name) for name in topic.key.split(" + ")))


def _encoded_at_once(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
    """Facts of one kind that follow each other, few enough to be few in memory."""
    for kind, alike in groupby(facts, key=type):
        most = 1 if issubclass(kind, OfManySeries) else _MOST_AT_ONCE
        while some := list(islice(alike, most)):
            yield some


def _tells_progress(fact: Fact) -> bool:
    return isinstance(fact, _PROGRESS)


# They say that what came before them is in the log.
_PROGRESS = (TimeMarked, PartitionAdvanced, WindowsDecided)
_TOPIC_OF: dict[type[Fact], Topic] = {kind: topic for topic in TOPICS for kind in topic.facts}
