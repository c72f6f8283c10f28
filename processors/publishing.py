"""Appends facts to their topics, in order, and never tells progress before what it is about."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from modeltrail.processors.appending import Outgoing
from modeltrail.processors.patience import persistently
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, PartitionAdvanced, TimeMarked, WindowsDecided
from modeltrail.schemas.topics import TOPICS, Topic, key_of

#: The largest facts hold measurements: an eighth of a megabyte, or one series.
_MOST_RECORDS = 256
_MOST_BYTES = 1024 * 1024

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
            for fact in alike:
                group.append(persistently(partial(self._outgoing, fact)))
                size += len(group[-1].value)
                if len(group) == _MOST_RECORDS or size >= _MOST_BYTES:
                    yield group
                    group, size = [], 0
            if group:
                yield group

    def _outgoing(self, fact: Fact) -> Outgoing:
        topic = _TOPIC_OF[type(fact)]
        partition = getattr(fact, "partition", None)
        return Outgoing(
            topic=topic.full_name(self.prefix),
            key=key_in(topic, fact) if partition is None else None,
            partition=partition,
            value=self.codec.encode(fact),
        )


def key_in(topic: Topic, fact: Fact) -> bytes:
    """The key that `topic` gives to `fact`: what its fields named in `Topic.key` hold."""
    return key_of(*(getattr(fact, name) for name in topic.key.split(" + ")))


def _tells_progress(fact: Fact) -> bool:
    return isinstance(fact, _PROGRESS)


# They say that what came before them is in the log.
_PROGRESS = (TimeMarked, PartitionAdvanced, WindowsDecided)
_TOPIC_OF: dict[type[Fact], Topic] = {kind: topic for topic in TOPICS for kind in topic.facts}
