"""Runs a plain worker: takes requests from a topic, has each done, and commits what is answered.

A request that was not answered when the worker died comes again; one that was answered is found in
the log and not done again.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.confined import Interrupted
from modeltrail.infra.jobs.answering import Answering
from modeltrail.infra.jobs.desk import Desk
from modeltrail.infra.kafka import assign_flowing, make_consumer
from modeltrail.schemas.codec import Codec

_POLL_S = 0.1
_HANDOVER_S = 30.0
_CONSUMER = {
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1500,
    "fetch.wait.max.ms": 100,
    # A worker that comes or goes leaves the jobs of the others alone.
    "partition.assignment.strategy": "cooperative-sticky",
}
_log = logging.getLogger(__name__)


def run_jobs(
    settings: KafkaSettings,
    codec: Codec,
    desk: Desk,
    stop: threading.Event,
    on_ready: Callable[[], None],
    clock: Clock | None = None,
) -> None:
    """Answer requests, one at a time, until `stop` is set; a job under way is then given up.

    Args:
        settings: where Kafka is.
        codec: decodes requests and encodes answers.
        desk: which requests, and who does the work.
        stop: ends the run.
        on_ready: called once, when the first partitions were assigned.
        clock: tells which requests have expired; None is the machine's.

    Raises:
        ConfigError: no Kafka is configured.
    """
    answering = Answering(settings, codec, desk, clock or SystemClock())
    _Worker(settings, answering, desk, stop, on_ready).run()


@dataclass(slots=True)
class _Running:
    """A job under way in another thread; `gone` is set when somebody else has its partition."""

    message: Message
    gone: threading.Event
    done: "Future[None]"


class _Worker:
    """This thread keeps the membership alive, one other works."""

    def __init__(
        self,
        settings: KafkaSettings,
        answering: Answering,
        desk: Desk,
        stop: threading.Event,
        on_ready: Callable[[], None],
    ) -> None:
        self._stop = stop
        self._on_ready: Callable[[], None] | None = on_ready
        self._topic = desk.requests.full_name(settings.topic_prefix)
        self._answering = answering
        self._waiting: deque[Message] = deque()
        self._running: _Running | None = None
        self._held = False
        self._consumer: Consumer = make_consumer(
            settings, f"{settings.topic_prefix}{desk.group}", **_CONSUMER
        )

    def run(self) -> None:
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        # A confined process dies with the thread that started it: one thread for all jobs.
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs")
        try:
            while not self._stop.is_set():
                self._turn(pool)
        finally:
            if self._running is not None:
                self._running.gone.set()
            pool.shutdown()
            self._consumer.close()

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        message = self._consumer.poll(_POLL_S)
        if message is not None:
            if (error := message.error()) is None:
                self._waiting.append(message)
            elif error.code() != KafkaError._PARTITION_EOF:
                _log.warning("Kafka: %s", error.str())
        if self._running is not None and self._running.done.done():
            self._reap(self._running)
        if self._running is None and self._waiting:
            gone = threading.Event()
            taken = self._waiting.popleft()
            work = pool.submit(self._answering.answer, taken, gone)
            self._running = _Running(taken, gone, work)
        self._hold_back()

    def _reap(self, running: _Running) -> None:
        self._running = None
        try:
            running.done.result()
        except Interrupted:
            return
        if not running.gone.is_set():
            self._commit(running.message)

    def _commit(self, message: Message) -> None:
        try:
            self._consumer.commit(message=message, asynchronous=False)
        except KafkaException as error:
            # It comes again, and is found answered.
            _log.info("offset not committed: %s", error)

    def _hold_back(self) -> None:
        """Take no more while there is work; new partitions may have come meanwhile."""
        busy = self._running is not None or bool(self._waiting)
        if busy:
            self._consumer.pause(self._consumer.assignment())
        elif self._held:
            self._consumer.resume(self._consumer.assignment())
        self._held = busy

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assign_flowing(consumer, partitions, cooperative=True)
        if self._on_ready is not None:
            self._on_ready()
            self._on_ready = None

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Hand partitions over: their next member must find an answer that is on its way."""
        self._lost(consumer, partitions)
        if self._running is not None and self._running.gone.is_set():
            wait([self._running.done], _HANDOVER_S)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        self._waiting = deque(each for each in self._waiting if each.partition() not in gone)
        if self._running is not None and self._running.message.partition() in gone:
            self._running.gone.set()
