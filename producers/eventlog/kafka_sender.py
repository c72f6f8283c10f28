"""Sends records to a real Kafka cluster, with another producer after one that broke off."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.kafka import await_answers, make_producer
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure
from modeltrail.schemas.topics import Topic

_LOG = logging.getLogger(__name__)
_QUEUE_KIB = 65_536
# A cluster that refuses idempotence breaks off every producer at once.
_REPLACE_EVERY_S = 1.0
_PERMANENT = frozenset(
    (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG)
)


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
        self._replaceable_at = 0.0
        self._delivered: Delivered | None = None
        self._report: Callable[[KafkaError | None, Message], None] | None = None

    def send(self, topic: Topic, key: bytes, value: bytes, delivered: Delivered) -> bool:
        """Queue one record; False: not now, `poll` and try again."""
        # A thousand records in a row may have one callback: it is wrapped once.
        if delivered is not self._delivered:
            self._delivered, self._report = delivered, partial(_answered, delivered)
        try:
            self._producer.produce(self._prefix + topic.name, value, key, on_delivery=self._report)
        except BufferError:
            return False
        except KafkaException as error:
            reason = error.args[0]
            if reason.code() == KafkaError._FATAL:
                self._replace_once_answered()
                return False
            delivered(_failure(reason, key, value))
        return True

    def poll(self, timeout_s: float) -> None:
        """Call the callbacks that are due, waiting up to `timeout_s` for the first."""
        try:
            self._producer.poll(timeout_s)
        except KafkaException as error:
            _log_fatal(error)

    def flush(self, timeout_s: float) -> int:
        """Wait for every queued record; the number of those without an answer yet."""
        try:
            return await_answers(self._producer, timeout_s)
        except KafkaException as error:
            _log_fatal(error)
            return await_answers(self._producer, timeout_s)

    def _replace_once_answered(self) -> None:
        """Replace a producer that sends no more, after it has answered for its records.

        What is on its way fails too, although it may arrive: whoever sends it again repeats it.
        """
        self._producer.purge()
        if len(self._producer) == 0 and time.monotonic() >= self._replaceable_at:
            self._replaceable_at = time.monotonic() + _REPLACE_EVERY_S
            self._producer = make_producer(self._settings, **self._overrides)


def _log_fatal(error: KafkaException) -> None:
    """Say that a producer is lost: it raises that once, where callbacks are due."""
    reason: KafkaError = error.args[0]
    if not reason.fatal():
        raise error
    _LOG.warning("Kafka's client broke off (%s): another takes over", reason.str())


def _answered(delivered: Delivered, error: KafkaError | None, message: Message) -> None:
    if error is None:
        delivered(None)
    else:
        delivered(_failure(error, message.key() or b"", message.value() or b""))


def _failure(error: KafkaError, key: bytes, value: bytes) -> DeliveryFailure:
    return DeliveryFailure(error.str(), error.code() in _PERMANENT, key, value)
