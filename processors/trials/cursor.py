"""Reads every partition of a topic from an append time on, in whole fetches."""

import logging
from dataclasses import dataclass

from confluent_kafka import KafkaException, TopicPartition

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_consumer
from modeltrail.schemas.topics import Topic

_ANSWER_S = 30.0
_CONSUMER = {
    # The broker answers as soon as there is something: a longer wait only asks less often.
    "fetch.wait.max.ms": 5_000,
    "queued.max.messages.kbytes": 16_384,
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition; `appended_ms` is the broker's append time since the epoch."""

    offset: int
    appended_ms: int
    value: bytes | None


class TopicCursor:
    """A reader of its own; it commits nothing.

    Args:
        settings: where Kafka is.
        topic: which topic.
        since_ms: the append time to begin at; 0: at the first record that is kept.

    Raises:
        Unavailable: the broker did not answer within 30 s.
    """

    def __init__(self, settings: KafkaSettings, topic: Topic, since_ms: int = 0) -> None:
        self._name = topic.full_name(settings.topic_prefix)
        self._consumer = make_consumer(settings, f"{settings.topic_prefix}readers", **_CONSUMER)
        try:
            self._consumer.assign(self._starts(settings.partitions, since_ms))
        except KafkaException as error:
            self._consumer.close()
            raise Unavailable(f"{self._name}: {error.args[0].str()}") from error

    def fetch(self, most: int, wait_s: float) -> dict[int, list[Record]]:
        """The next records by partition: once there are `most`, or those that came in `wait_s`."""
        fetched: dict[int, list[Record]] = {}
        for message in self._consumer.consume(most, wait_s):
            partition, offset = message.partition(), message.offset()
            if error := message.error():
                log.warning("waiting: %s: %s", self._name, error.str())
            elif partition is not None and offset is not None:
                record = Record(offset, message.timestamp()[1], message.value())
                fetched.setdefault(partition, []).append(record)
        return fetched

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _starts(self, partitions: int, since_ms: int) -> list[TopicPartition]:
        if not since_ms:
            # From a number: asking for "the beginning" costs half a second of look-ups.
            return [TopicPartition(self._name, partition, 0) for partition in range(partitions)]
        wanted = [TopicPartition(self._name, number, since_ms) for number in range(partitions)]
        # The ends first: a record that comes between the two questions is not passed over.
        ends = [self._consumer.get_watermark_offsets(at, timeout=_ANSWER_S)[1] for at in wanted]
        found = self._consumer.offsets_for_times(wanted, timeout=_ANSWER_S)
        return [
            TopicPartition(self._name, at.partition, at.offset if at.offset >= 0 else end)
            for at, end in zip(found, ends, strict=True)
        ]
