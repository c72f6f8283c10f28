"""Answers where a number comes from: the event in the log that it was read from or folded from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from modeltrail.schemas.events import Fact


@dataclass(frozen=True, slots=True)
class Cited:
    """A fact and its place in the log: topic without prefix, offset, append time (ms)."""

    fact: Fact
    topic: str
    partition: int
    offset: int
    appended_ms: int

    @property
    def order(self) -> tuple[int, str, int, int]:
        """Sorts facts of several topics the same way whenever they are read."""
        return self.appended_ms, self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Source:
    """The events behind a number: one, or the first and the last of `events` in one partition."""

    record: str
    topic: str
    partition: int
    first: int
    last: int
    events: int
    appended_ms: int

    @property
    def place(self) -> str:
        """Topic, partition and offset as `modeltrail sql` and Kafka's tools name them."""
        offsets = str(self.first) if self.first == self.last else f"{self.first}…{self.last}"
        return f"`{self.topic}` partition {self.partition} offset {offsets}"

    @property
    def appended_at(self) -> str:
        """When Kafka appended it, or the last of them; UTC."""
        return moment(self.appended_ms * 1000)


def source_of(*cited: Cited) -> Source:
    """The place of one fact, or of several of one kind that lie in one partition.

    Raises:
        ValueError: there are none, or they are not of one kind and partition.
    """
    homes = {(type(one.fact).__name__, one.topic, one.partition) for one in cited}
    if len(homes) != 1:
        raise ValueError(f"one source is of one kind and partition, not {sorted(homes)}")
    record, topic, partition = homes.pop()
    offsets = [one.offset for one in cited]
    newest = max(one.appended_ms for one in cited)
    return Source(record, topic, partition, min(offsets), max(offsets), len(cited), newest)


@dataclass(slots=True)
class Citations:
    """Numbers the sources of a document in the order in which it first mentions them.

    `count` is how many marks there are in its text and its head.
    """

    _numbers: dict[Source, int] = field(default_factory=dict)
    count: int = 0

    def number(self, source: Source) -> int:
        """The number of the source, where a link cannot be written."""
        self.count += 1
        return self._numbers.setdefault(source, len(self._numbers) + 1)

    def cite(self, source: Source) -> str:
        """A link to the source, to be put behind the number."""
        number = self.number(source)
        return f"[[{number}]](#event-{number})"

    def of(self, *cited: Cited) -> str:
        """Links to facts: one for those of one kind in one partition, which it gives as a range."""
        homes: dict[tuple[type[Fact], str, int], list[Cited]] = {}
        for one in cited:
            homes.setdefault((type(one.fact), one.topic, one.partition), []).append(one)
        return " ".join(self.cite(source_of(*each)) for each in homes.values())

    @property
    def sources(self) -> list[tuple[int, Source]]:
        """Every source that was cited, by number."""
        return [(number, source) for source, number in self._numbers.items()]


def moment(micros: int) -> str:
    """A time as documents write it: UTC, to the second."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
