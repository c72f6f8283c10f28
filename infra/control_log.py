"""Answers what the control topics hold, complete up to an append time: rules and the registry."""

import threading
import time

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.log_reader import LatestOffsets, PartitionReader
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.topics import REGISTRY, RULES, Topic

TOPICS: tuple[Topic, ...] = (RULES, REGISTRY)
_RETRY_S = 0.02


class ControlLog:
    """Every fact of the control topics that was read so far; for use from any thread.

    Whoever decides something as of an append time first waits until the log is complete up to it.
    Nothing is read otherwise, so an idle process asks for nothing.
    """

    def __init__(self, settings: KafkaSettings, codec: Codec, clock: Clock) -> None:
        self._codec = codec
        self._clock = clock
        self._lock = threading.Lock()
        self._facts: list[Appended] = []
        self._complete_ms = -1
        self._readers = {
            (topic, partition): PartitionReader(
                settings, topic.full_name(settings.topic_prefix), partition
            )
            for topic in TOPICS
            for partition in range(settings.partitions)
        }
        self._next: dict[tuple[Topic, int], int] = {}
        self._ends = LatestOffsets(settings, TOPICS)

    def records_since(self, index: int) -> list[Appended]:
        """The facts after the first `index` ones; their order is not that of their append."""
        return self._facts[index:]

    def wait_until_complete(self, appended_ms: int) -> None:
        """Return once everything appended by then has been read.

        Raises:
            Unavailable: the broker did not answer within 30 s.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        with self._lock:
            while self._complete_ms < appended_ms:
                # What is appended from now on comes after this time.
                now_ms = self._clock.now_us() // 1000 - 1
                if now_ms < appended_ms:
                    time.sleep(_RETRY_S)
                    continue
                self._catch_up()
                self._complete_ms = now_ms

    def close(self) -> None:
        """Leave Kafka."""
        for reader in self._readers.values():
            reader.close()

    def _catch_up(self) -> None:
        # One question for all partitions: to ask for each takes a second, and decisions wait.
        for place, end in self._ends.read().items():
            if self._next.get(place, 0) >= end:
                continue
            reader = self._readers[place]
            for record in reader.read(max(reader.bounds()[0], self._next.get(place, 0)), end):
                if record.value is not None:
                    self._absorb(place[1], record.offset, record.appended_ms, record.value)
                self._next[place] = record.offset + 1

    def _absorb(self, partition: int, offset: int, appended_ms: int, value: bytes) -> None:
        try:
            fact = self._codec.decode(value)
        except DecodeError:
            # The projector reads these topics too and files the dead letter.
            return
        self._facts.append(Appended(partition, offset, appended_ms, fact))
