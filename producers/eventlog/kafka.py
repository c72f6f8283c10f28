"""The log on a real Kafka cluster, through confluent-kafka."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import client_config, make_admin, make_consumer, make_producer
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure, LogRecord
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.topics import Topic

_BATCH = 1000
_QUEUE_KIB = 65_536
_LEADER_RETRY_S = 0.05
# Right after a topic is created, or its broker restarted; the admin client does not retry these.
_LEADER_MOVES = frozenset((KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE))
_PERMANENT = frozenset(
    (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG)
)


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


class KafkaSender:
    """A `Sender` on one librdkafka producer, made again after a fatal error."""

    def __init__(
        self, settings: KafkaSettings, queue_records: int, give_up_after_s: float | None
    ) -> None:
        self._settings = settings
        self._prefix = settings.topic_prefix
        self._overrides: dict[str, Any] = {
            "queue.buffering.max.messages": queue_records,
            "queue.buffering.max.kbytes": _QUEUE_KIB,
            "message.timeout.ms": 0 if give_up_after_s is None else round(give_up_after_s * 1000),
        }
        self._producer: Producer = make_producer(settings, **self._overrides)
        self._delivered: Delivered | None = None
        self._report: Callable[[KafkaError | None, Message], None] | None = None

    def send(self, topic: Topic, key: bytes, value: bytes, delivered: Delivered) -> bool:
        """Queue one record; False: the queue is full, `poll` and try again."""
        # A thousand records in a row may have one callback: it is wrapped once.
        if delivered is not self._delivered:
            self._delivered, self._report = delivered, partial(_answered, delivered)
        try:
            self._producer.produce(self._prefix + topic.name, value, key, on_delivery=self._report)
        except BufferError:
            return False
        except KafkaException as error:
            reason = error.args[0]
            if reason.fatal():
                self._producer = make_producer(self._settings, **self._overrides)
                return False
            delivered(_failure(reason, key, value))
        return True

    def poll(self, timeout_s: float) -> None:
        """Call the callbacks that are due, waiting up to `timeout_s` for the first."""
        self._producer.poll(timeout_s)

    def flush(self, timeout_s: float) -> int:
        """Wait for every queued record; the number of those without an answer yet."""
        return int(self._producer.flush(timeout_s))


def _answered(delivered: Delivered, error: KafkaError | None, message: Message) -> None:
    if error is None:
        delivered(None)
    else:
        delivered(_failure(error, message.key() or b"", message.value() or b""))


def _failure(error: KafkaError, key: bytes, value: bytes) -> DeliveryFailure:
    return DeliveryFailure(error.str(), error.code() in _PERMANENT, key, value)


def _record(message: Message) -> LogRecord:
    if error := message.error():
        raise KafkaException(error)
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return LogRecord(
        partition, offset, Micros(message.timestamp()[1] * 1000), message.key(), message.value()
    )
