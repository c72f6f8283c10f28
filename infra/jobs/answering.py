"""Does one request and publishes its answer, unless the log has one, or nobody waits any more.

Requests and answers have the same key, and their topics equally many partitions, so the answer to
a request of partition n is in partition n.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from confluent_kafka import KafkaException, Message

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.clock import Clock
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.confined import Interrupted
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.jobs.desk import Desk, Job
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError, SchemaRegistryUnavailable

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
# The clocks of brokers and workers differ.
_SKEW_MS = 60_000
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Answering:
    """Does one request: unless it is answered already, expired, or for somebody else."""

    def __init__(self, settings: KafkaSettings, codec: Codec, desk: Desk, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._codec = codec
        self._desk = desk
        self._answers = desk.answers.full_name(settings.topic_prefix)
        self._producer = AcknowledgedProducer(settings)

    def answer(self, message: Message, gone: threading.Event) -> None:
        """Do what the message asks for.

        Raises:
            Interrupted: `gone` was set: the request is another worker's now, or comes again.
        """
        request = self._request(message, gone)
        if request is None:
            return
        for job in self._desk.jobs:
            if job.takes(request.fact):
                self._do(job, request, message.key() or b"", gone)

    def _request(self, message: Message, gone: threading.Event) -> Appended | None:
        value, partition, offset = message.value(), message.partition(), message.offset()
        if value is None or partition is None or offset is None:
            return None
        try:
            fact = _patiently(lambda: self._codec.decode(value), gone)
        except DecodeError as error:
            # The projector reads this topic too and files the dead letter.
            _log.warning("partition %d offset %d is no fact: %s", partition, offset, error)
            return None
        return Appended(partition, offset, message.timestamp()[1], fact)

    def _do(self, job: Job, request: Appended, key: bytes, gone: threading.Event) -> None:
        if _patiently(lambda: self._is_answered(request), gone):
            return
        name = f"{type(request.fact).__name__} {request.fact.event_id.hex()}"
        expires_s = job.expires_s(request.fact)
        if expires_s is not None:
            latest_ms = request.appended_ms + expires_s * 1000 + _SKEW_MS
            if self._clock.now_us() / 1000 > latest_ms:
                _log.warning("%s is not done: nobody waits for it any more", name)
                return
        answer = _patiently(lambda: job.do(request, gone), gone)
        # Another member may have done it, if this one was thought dead meanwhile.
        if gone.is_set() or _patiently(lambda: self._is_answered(request), gone):
            return
        value = _patiently(lambda: self._codec.encode(answer), gone)
        _patiently(lambda: self._producer.append(self._answers, [(key, value)]), gone)
        _log.info("%s answered", name)

    def _is_answered(self, request: Appended) -> bool:
        with closing(PartitionReader(self._settings, self._answers, request.partition)) as reader:
            first = reader.offset_at(request.appended_ms - _SKEW_MS)
            if first is None:
                return False
            return any(
                self._answers_it(record.value, request)
                for record in reader.read(first, reader.bounds()[1])
                if record.value is not None
            )

    def _answers_it(self, value: bytes, request: Appended) -> bool:
        try:
            fact = self._codec.decode(value)
        except DecodeError:
            return False
        return bool(getattr(fact, "request_id", None) == request.fact.event_id)


def _patiently(action: Callable[[], T], gone: threading.Event) -> T:
    """Do `action` until it succeeds, with pauses while a server is away."""
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return action()
        except (KafkaException, SchemaRegistryUnavailable, Unavailable) as error:
            _log.warning("waiting: %s", error)
        if gone.wait(pause_s):
            raise Interrupted("the request is somebody else's now, or comes again")
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
