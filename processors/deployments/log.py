"""Reads partitions of the topics that deployments look at, from an append time on, up to now.

One consumer follows all of them. It stays assigned to what is read again and again, so that what is
new is there at once: an assignment waits for the fetch before it, which a broker holds for a while.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_consumer
from modeltrail.infra.log_reader import LatestOffsets, LogRecord
from modeltrail.schemas.topics import ALERTS, DEPLOYMENTS, ETHICS, NODES, TRIALS, WORK, Topic

Place = tuple[Topic, int]
_TOPICS = (DEPLOYMENTS, ALERTS, ETHICS, NODES, TRIALS, WORK)
_BATCH = 10_000
_POLL_S = 0.1
_TIMEOUT_S = 30.0
#: How long a broker holds a fetch without news, ms: what an assignment costs, at most.
_FETCH_WAIT_MS = 100


class DeploymentLog(Protocol):
    """Where the facts are; calls block and raise `Unavailable`."""

    partitions: int

    def ends(self) -> dict[Place, int]:
        """The offset after the last record of every partition that deployments look at."""
        ...

    def first(self, place: Place) -> int:
        """The first offset that is still there."""
        ...

    def offset_at(self, place: Place, appended_ms: int) -> int | None:
        """The first offset with that append time or a later one; None: there is none."""
        ...

    def read(self, place: Place, first: int, end: int) -> list[LogRecord]:
        """Every record from offset `first` up to, but without, `end`."""
        ...

    def keep(self, places: Iterable[Place]) -> None:
        """No other places will be read for a while; without any, nothing will."""
        ...


class KafkaDeploymentLog:
    """The log on Kafka, for use from any thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.partitions = settings.partitions
        self._settings = settings
        self._lock = threading.RLock()
        self._latest: LatestOffsets | None = None
        self._held: Consumer | None = None
        self._places = {
            (topic.full_name(settings.topic_prefix), number): (topic, number)
            for topic in _TOPICS
            for number in range(settings.partitions)
        }
        #: Of each assigned place the offset of the next record that is read or lies ahead.
        self._next: dict[Place, int] = {}
        self._ahead: defaultdict[Place, list[LogRecord]] = defaultdict(list)

    def ends(self) -> dict[Place, int]:
        """The offset after the last record of every partition."""
        with self._lock:
            if self._latest is None:
                self._latest = LatestOffsets(self._settings, _TOPICS)
            return self._latest.read()

    def first(self, place: Place) -> int:
        """The first offset that is still there."""
        with self._calling(place):
            low, _ = self._consumer().get_watermark_offsets(self._at(place), timeout=_TIMEOUT_S)
            return int(low)

    def offset_at(self, place: Place, appended_ms: int) -> int | None:
        """The first offset with that append time or a later one."""
        with self._calling(place):
            wanted = [self._at(place, appended_ms)]
            (found,) = self._consumer().offsets_for_times(wanted, timeout=_TIMEOUT_S)
            return int(found.offset) if found.offset >= 0 else None

    def read(self, place: Place, first: int, end: int) -> list[LogRecord]:
        """Every record from offset `first` up to, but without, `end`."""
        if first >= end:
            return []
        with self._calling(place):
            self._assign(place, first)
            waited = 0.0
            while self._read_up_to(place) < end:
                waited = 0.0 if self._fetch() else waited + _POLL_S
                if waited >= _TIMEOUT_S:
                    raise Unavailable(f"{place[0].name} gave no records for {_TIMEOUT_S:.0f} s")
            ahead = self._ahead[place]
            taken = [record for record in ahead if record.offset < end]
            self._ahead[place] = ahead[len(taken) :]
            self._next[place] = end
            return taken

    def keep(self, places: Iterable[Place]) -> None:
        """Follow no other places; without any, leave Kafka."""
        with self._lock:
            gone = set(self._next) - set(places)
            if self._held is None or not gone:
                return
            for place in gone:
                del self._next[place]
                self._ahead.pop(place, None)
            if self._next:
                self._held.incremental_unassign([self._at(place) for place in gone])
            else:
                self._held.close()
                self._held = None

    def _assign(self, place: Place, first: int) -> None:
        if self._next.get(place) == first:
            return
        consumer = self._consumer()
        if place in self._next:
            consumer.incremental_unassign([self._at(place)])
        consumer.incremental_assign([self._at(place, first)])
        self._next[place] = first
        self._ahead[place] = []

    def _read_up_to(self, place: Place) -> int:
        ahead = self._ahead[place]
        return ahead[-1].offset + 1 if ahead else self._next[place]

    def _fetch(self) -> bool:
        records = self._consumer().consume(_BATCH, timeout=0) or [
            record for record in [self._consumer().poll(_POLL_S)] if record is not None
        ]
        for record in records:
            if error := record.error():
                raise KafkaException(error)
            place = self._places[record.topic() or "", record.partition() or 0]
            offset = record.offset() or 0
            # What was fetched for an assignment that is gone is not what is read now.
            if place in self._next and offset >= self._read_up_to(place):
                read = LogRecord(offset, record.timestamp()[1], record.value())
                self._ahead[place].append(read)
        return bool(records)

    def _consumer(self) -> Consumer:
        if self._held is None:
            self._held = make_consumer(
                self._settings,
                f"{self._settings.topic_prefix}deployments",
                **{"fetch.wait.max.ms": _FETCH_WAIT_MS},
            )
        return self._held

    def _at(self, place: Place, offset: int = 0) -> TopicPartition:
        return TopicPartition(place[0].full_name(self._settings.topic_prefix), place[1], offset)

    @contextmanager
    def _calling(self, place: Place) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except KafkaException as error:
                told = error.args[0].str()
                raise Unavailable(f"{place[0].name} partition {place[1]}: {told}") from error
