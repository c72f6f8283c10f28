"""Holds what was consumed and not yet projected, by partition, and cuts it into ranges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from modeltrail.sinks.projector.fold import Claim, Position, Range, after, next_range
from modeltrail.sinks.projector.records import Records, Source
from modeltrail.sinks.projector.writer import Cut

Place = tuple[str, int]
"""Full topic name and partition, as the client names a partition."""


@dataclass(slots=True)
class Held:
    """One owned partition: `available` is the offset after the last record at hand."""

    source: Source
    claim: Claim
    position: Position
    available: int
    messages: list[Any] = field(default_factory=list)


class Intake:
    """Every owned partition's messages in offset order."""

    def __init__(self, batch_rows: int) -> None:
        self._batch_rows = batch_rows
        self._held: dict[Place, Held] = {}
        self.waiting = 0
        self.waiting_since: float | None = None

    def own(self, place: Place, source: Source, claim: Claim, position: Position, low: int) -> None:
        """Start a partition at `position`; records before offset `low` are no longer in Kafka."""
        self._held[place] = Held(source, claim, position, low)

    def forget(self, places: Iterable[Place]) -> None:
        """Drop partitions with all that is held of them."""
        for place in places:
            if held := self._held.pop(place, None):
                self.waiting -= len(held.messages)

    def places_under(self, claims: Mapping[Source, Claim]) -> list[Place]:
        """The owned partitions whose claim is the one given, not a newer one."""
        return [
            place for place, held in self._held.items() if claims.get(held.source) == held.claim
        ]

    def add(self, messages: Iterable[Any], now: float) -> None:
        """Take messages in; those of partitions that are not owned, and old ones, are left out."""
        for place, run in groupby(messages, key=lambda each: (each.topic(), each.partition())):
            held = self._held.get(place)
            if held is None:
                continue
            group = list(run)
            if group[0].offset() < held.available:
                group = [each for each in group if each.offset() >= held.available]
                if not group:
                    continue
            held.messages += group
            held.available = group[-1].offset() + 1
            self.waiting += len(group)
            if self.waiting_since is None:
                self.waiting_since = now

    def is_full(self) -> bool:
        """Whether some partition has a whole batch."""
        return any(len(held.messages) >= self._batch_rows for held in self._held.values())

    def cut(self) -> Mapping[Source, Cut]:
        """Take the next range of every partition that has one."""
        cuts: dict[Source, Cut] = {}
        for held in self._held.values():
            limit = (
                held.messages[self._batch_rows].offset()
                if len(held.messages) > self._batch_rows
                else None
            )
            of = next_range(held.position, held.available, limit=limit)
            if of is not None:
                cuts[held.source] = Cut(held.claim, of, self._take(held, of))
        if not self.waiting:
            self.waiting_since = None
        return cuts

    def _take(self, held: Held, of: Range) -> Records:
        count = len(held.messages)
        if of.end < held.available:
            count = sum(1 for each in held.messages if each.offset() < of.end)
        taken, held.messages = held.messages[:count], held.messages[count:]
        held.position = after(of)
        self.waiting -= count
        return _records(held.source, taken)


def _records(source: Source, messages: list[Any]) -> Records:
    return Records(
        source,
        np.array([each.offset() for each in messages], dtype=np.int64),
        np.array([each.timestamp()[1] for each in messages], dtype=np.int64),
        [each.key() for each in messages],
        [each.value() for each in messages],
    )
