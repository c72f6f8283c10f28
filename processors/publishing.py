"""Appends facts to their topics, in order, and never tells progress before what it is about."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice

from modeltrail.processors.patience import patiently
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import TOPICS, Topic, key_of

#: The largest facts hold 1,000 measurements of a series: as objects, half a megabyte.
_MOST_ON_THEIR_WAY = 128


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A fact as it is appended: a key that says its partition, or the partition itself."""

    topic: str
    key: bytes | None
    partition: int | None
    value: bytes


#: Hands a record to a producer that keeps the order of each partition; awaiting what that gives
#: tells the broker's append time, ms, once every replica has the record.
Send = Callable[[Outgoing], Awaitable[Awaitable[int]]]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes facts.

    Attributes:
        codec: encodes them.
        prefix: of every topic name.
        send: the producer.
    """

    codec: Codec
    prefix: str
    send: Send

    async def publish(self, facts: Iterable[Fact]) -> int:
        """Append `facts` in order and return once the broker has acknowledged all of them.

        They are read in a thread, and only so many at once that they stay few in memory. A fact
        with a `partition` says that what came before it is in the log. A producer may lose a
        record and deliver the next, so such facts wait for all others, and others wait for them.

        Returns:
            The newest append time, ms; 0 where there was no fact.

        Raises:
            Exception: a record was not appended; the facts after it may have been, or not.
        """
        newest = 0
        groups = _groups(facts)
        while (group := await asyncio.to_thread(next, groups, None)) is not None:
            outgoing = await patiently(partial(self._encoded, group))
            acknowledged = [await self.send(record) for record in outgoing]
            newest = max(newest, *await asyncio.gather(*acknowledged))
        return newest

    def _encoded(self, facts: Sequence[Fact]) -> list[Outgoing]:
        return [self._outgoing(fact) for fact in facts]

    def _outgoing(self, fact: Fact) -> Outgoing:
        topic = _TOPIC_OF[type(fact)]
        key = None if _tells_progress(fact) else key_in(topic, fact)
        return Outgoing(
            topic=topic.full_name(self.prefix),
            key=key,
            partition=getattr(fact, "partition", None),
            value=self.codec.encode(fact),
        )


def key_in(topic: Topic, fact: Fact) -> bytes:
    """The key that `topic` gives to `fact`: what its fields named in `Topic.key` hold."""
    return key_of(*(getattr(fact, name) for name in topic.key.split(" + ")))


def _groups(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
    """Those that may be on their way together."""
    for _, alike in groupby(facts, key=_tells_progress):
        while group := list(islice(alike, _MOST_ON_THEIR_WAY)):
            yield group


def _tells_progress(fact: Fact) -> bool:
    return hasattr(fact, "partition")


_TOPIC_OF: dict[type[Fact], Topic] = {kind: topic for topic in TOPICS for kind in topic.facts}
