"""Answers what the control topics hold, complete up to an append time: rules and the registry."""

import threading
import time

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.log_reader import LatestOffsets, PartitionReader
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.topics import INFERENCE, REGISTRY, RULES, Topic

TOPICS: tuple[Topic, ...] = (RULES, REGISTRY)
# A record may be seen this much later than it was stamped, and brokers' clocks differ.
_UNSEEN_MS = 1_000
_OVER_S = 0.002


class ControlLog:
    """Every fact of the control topics that was read so far; for use from any thread.

    Whoever decides something as of an append time first waits until the log is complete up to it.
    Nothing is read otherwise, so an idle process asks for nothing. Times are the brokers' alone:
    whoever asks has the append time from the log, so it has passed there, and the newest
    measurement tells how late it is by now: until then nothing has to be asked again.
    """

    def __init__(self, settings: KafkaSettings, codec: Codec) -> None:
        self._codec = codec
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

        Args:
            appended_ms: an append time that the log has reached; 0 for what is there at first.

        Raises:
            Unavailable: the broker did not answer within 30 s.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        with self._lock:
            if self._complete_ms < appended_ms:
                # More may be appended while that millisecond lasts.
                time.sleep(_OVER_S)
                self._complete_ms = max(appended_ms, self._catch_up())

    def close(self) -> None:
        """Leave Kafka."""
        for reader in self._readers.values():
            reader.close()

    def _catch_up(self) -> int:
        """Read everything that is there; the append time, ms, up to which that is complete."""
        # One question for all partitions: to ask for each takes a second, and decisions wait.
        ends, newest_ms = self._ends.read_beside(INFERENCE)
        for place, end in ends.items():
            if self._next.get(place, 0) >= end:
                continue
            reader = self._readers[place]
            for record in reader.read(max(reader.bounds()[0], self._next.get(place, 0)), end):
                if record.value is not None:
                    self._absorb(place[1], record.offset, record.appended_ms, record.value)
                self._next[place] = record.offset + 1
        return newest_ms - _UNSEEN_MS

    def _absorb(self, partition: int, offset: int, appended_ms: int, value: bytes) -> None:
        try:
            fact = self._codec.decode(value)
        except DecodeError:
            # The projector reads these topics too and files the dead letter.
            return
        self._facts.append(Appended(partition, offset, appended_ms, fact))
