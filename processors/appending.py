"""Appends records to the log and waits until it has them, for threads that may block."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from confluent_kafka import KafkaException, Producer

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.kafka import make_producer
from modeltrail.schemas.errors import ModeltrailError

_POLL_S = 0.5
#: Most bytes are doubles, which compress little: that took an eighth of the worker's time.
_OVERRIDES = {"linger.ms": 1, "compression.type": "none"}
#: What librdkafka takes for a partition that the key decides.
_BY_KEY = -1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A fact as it is appended: a key that says its partition, or the partition itself."""

    topic: str
    key: bytes | None
    partition: int | None
    value: bytes


class NotAppended(ModeltrailError):
    """The broker did not take a record: the worker ends, and begins again where the log stands."""


class Appender:
    """Appends to Kafka; any number of threads may use it.

    Faust's own producer makes an object and a callback of the event loop for every record: with a
    thousand models, that took longer than to fold what they hold.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def append(self, records: Sequence[Outgoing]) -> int:
        """Append `records`, in order within each partition; return once the broker has them.

        Returns:
            The newest append time, ms; 0 where there was no record.

        Raises:
            NotAppended: a record was not appended; the others may have been, or not.
        """
        with self._lock:
            producer = self._producer
        answers = _Answers(len(records))
        for record in records:
            partition = _BY_KEY if record.partition is None else record.partition
            try:
                producer.produce(record.topic, record.value, record.key, partition, answers.take)
            except (KafkaException, BufferError) as error:
                raise _not_appended(record.topic, str(error)) from error
        return answers.newest_ms()

    def close(self) -> None:
        """Leave Kafka; what is not acknowledged by now may be lost."""
        self._closed.set()

    @cached_property
    def _producer(self) -> Producer:
        producer = make_producer(self._settings, **_OVERRIDES)
        threading.Thread(
            target=self._serve, args=(producer,), name="deliveries", daemon=True
        ).start()
        return producer

    def _serve(self, producer: Producer) -> None:
        while not self._closed.is_set():
            try:
                producer.poll(_POLL_S)
            except KafkaException:
                # A fatal error: its records have an answer still to come, that they failed.
                producer.purge()


class _Answers:
    """What the broker says of some records; told by one thread, awaited by another."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._newest_ms = 0
        self._refusal: NotAppended | None = None
        self._complete = threading.Event()
        if not count:
            self._complete.set()

    def take(self, error: Any, message: Any) -> None:
        """Take the answer to one of the records."""
        if error is not None:
            self._refusal = self._refusal or _not_appended(message.topic(), error.str())
        else:
            self._newest_ms = max(self._newest_ms, message.timestamp()[1])
        self._left -= 1
        if not self._left:
            self._complete.set()

    def newest_ms(self) -> int:
        """The newest append time once all are answered.

        Raises:
            NotAppended: one of them was refused.
        """
        self._complete.wait()
        if self._refusal is not None:
            raise self._refusal
        return self._newest_ms


def _not_appended(topic: str, why: str) -> NotAppended:
    return NotAppended(
        f"Kafka did not take a record of {topic} ({why}): check `modeltrail status` and the topic, "
        "then start the worker again"
    )
