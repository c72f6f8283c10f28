"""The log on a real Kafka cluster, through confluent-kafka."""

import time
from collections.abc import Mapping

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import client_config, make_admin, make_consumer
from modeltrail.producers.eventlog.kafka_sender import KafkaSender
from modeltrail.producers.eventlog.port import LogRecord
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.topics import Topic

_BATCH = 1000
_LEADER_RETRY_S = 0.05
# Right after a topic is created, or its broker restarted; the admin client does not retry these.
_LEADER_MOVES = frozenset((KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE))


class KafkaLog:
    """A `Log` on the configured cluster; clients are made where they are needed."""

    def __init__(self, settings: KafkaSettings, *, answer_timeout_s: float = 10.0) -> None:
        """Connect lazily.

        Args:
            settings: where Kafka is.
            answer_timeout_s: how long a question to the brokers waits, s.

        Raises:
            ConfigError: no broker is configured and no embedded stack is running.
        """
        client_config(settings)
        self._settings = settings
        self._timeout_s = answer_timeout_s

    def partitions(self, topic: Topic) -> int:
        """How many partitions `topic` has."""
        name = self._name(topic)
        admin = make_admin(self._settings)
        try:
            found = admin.list_topics(name, timeout=self._timeout_s).topics[name]
        except KafkaException as error:
            raise self._away(error) from error
        if found.error is not None or not found.partitions:
            raise Unavailable(
                f"topic {name} is not there ({found.error}): create the topics "
                "with `modeltrail up`, or check kafka.topic_prefix"
            )
        return len(found.partitions)

    def end_offsets(self, topic: Topic, partitions: tuple[int, ...]) -> dict[int, int]:
        """The offset that the next record of each partition will get."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._ask_end_offsets(self._name(topic), partitions)
            except KafkaException as error:
                moving = error.args[0].code() in _LEADER_MOVES
                if not moving or time.monotonic() > deadline:
                    raise self._away(error) from error
            except TimeoutError as error:
                raise self._away(error) from error
            time.sleep(_LEADER_RETRY_S)

    def _ask_end_offsets(self, name: str, partitions: tuple[int, ...]) -> dict[int, int]:
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        # Kept in a variable: futures of a client that is gone never resolve.
        admin = make_admin(self._settings)
        futures = admin.list_offsets(
            {TopicPartition(name, partition): latest for partition in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=self._timeout_s,
        )
        return {
            asked.partition: future.result(self._timeout_s + 1).offset
            for asked, future in futures.items()
        }

    def cursor(self, topic: Topic, starts: Mapping[int, int]) -> "KafkaCursor":
        """Read from these offsets on, with no group and no committed offsets."""
        return KafkaCursor(self._settings, self._name(topic), starts)

    def sender(self, *, queue_records: int, give_up_after_s: float | None) -> "KafkaSender":
        """A sender with a bounded queue, `acks=all` and idempotence."""
        return KafkaSender(self._settings, queue_records, give_up_after_s)

    def _name(self, topic: Topic) -> str:
        return topic.full_name(self._settings.topic_prefix)

    def _away(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"Kafka at {self._settings.bootstrap_servers} did not answer ({error}): "
            "check `modeltrail status`, then try again"
        )


class KafkaCursor:
    """A `Cursor` on assigned partitions."""

    def __init__(self, settings: KafkaSettings, topic: str, starts: Mapping[int, int]) -> None:
        # The group is never joined: librdkafka wants a name, and nothing is committed.
        self._consumer: Consumer = make_consumer(settings, "modeltrail-sdk")
        # An offset that is no longer kept resets to the first that is; asking librdkafka for the
        # beginning instead costs half a second (measured).
        self._consumer.assign(
            [TopicPartition(topic, partition, offset) for partition, offset in starts.items()]
        )

    def poll(self, wait_s: float) -> list[LogRecord]:
        """The next records; empty when none came within `wait_s`."""
        first = self._consumer.consume(1, wait_s)
        try:
            return [_record(message) for message in first + self._rest(first)]
        except KafkaException as error:
            raise Unavailable(f"Kafka stopped answering ({error}): try again") from error

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()

    def _rest(self, first: list[Message]) -> list[Message]:
        # `consume(n, t)` waits the whole of t unless n come: take what is there already.
        return self._consumer.consume(_BATCH, 0) if first else []


def _record(message: Message) -> LogRecord:
    if error := message.error():
        raise KafkaException(error)
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return LogRecord(
        partition, offset, Micros(message.timestamp()[1] * 1000), message.key(), message.value()
    )
