"""One member of the consumer group: consumes, hands ranges to the writer, follows rebalances."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import assign_flowing, make_consumer
from modeltrail.infra.topics import topic_ids
from modeltrail.sinks.projector.intake import Intake, Place
from modeltrail.sinks.projector.patience import Stopped, persist
from modeltrail.sinks.projector.project import full_names
from modeltrail.sinks.projector.records import Source
from modeltrail.sinks.projector.tables import SINK
from modeltrail.sinks.projector.writer import Cut, Writer

_CONSUME_AT_ONCE = 10_000
# Also how long a finished write may wait to be followed by the next.
_CONSUME_TIMEOUT_S = 0.05
_WRITER_PATIENCE_S = 1.0
_WATERMARK_TIMEOUT_S = 10.0
# Batches that may wait in memory while one is being written.
_HELD_BATCHES = 2
_CONSUMER = {
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1500,
    "fetch.wait.max.ms": 100,
    "queued.max.messages.kbytes": 32768,
}
_CLAIM_AGAIN_AFTER_S = 1.0

_log = logging.getLogger(__name__)


class Member:
    """This thread consumes, one other writes; positions come from the marks, not from Kafka."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        stop: threading.Event,
        on_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._stop = stop
        self._on_ready: Callable[[], None] | None = on_ready
        self._intake = Intake(settings.projector.batch_rows)
        self._topics = full_names(settings.kafka.topic_prefix)
        self._names = {topic.name: name for name, topic in self._topics.items()}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._writing: Future[set[Source]] | None = None
        self._written: dict[Source, Cut] = {}
        # Assigned to us by Kafka, but claimed higher by somebody else in the marks.
        self._unowned: set[Place] = set()
        self._claim_again_at = 0.0
        self._paused = False
        self._consumer: Consumer = make_consumer(
            settings.kafka, f"{settings.kafka.topic_prefix}{SINK}", **_CONSUMER
        )

    def run(self) -> None:
        """Consume and write until told to stop; then finish the range at hand and leave."""
        # While the group assigns partitions.
        self._pool.submit(self._writer.warm_up)
        self._consumer.subscribe(
            list(self._topics),
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )
        try:
            while not self._stop.is_set():
                self._turn()
            self._settle()
        except Stopped:
            _log.info("stopped while waiting for a server; the open range comes again")
        finally:
            # Leaving the group calls back: there is nothing left to settle by then.
            self._consumer.close()
            self._pool.shutdown()

    def _turn(self) -> None:
        messages = self._consumer.consume(_CONSUME_AT_ONCE, _CONSUME_TIMEOUT_S)
        self._intake.add(_without_errors(messages), time.monotonic())
        if self._writing is not None and self._writing.done():
            self._reap(self._writing)
        if self._writing is None and self._is_due():
            self._submit()
        self._hold_back()
        if self._unowned and self._writing is None and time.monotonic() >= self._claim_again_at:
            self._claim_again()

    def _is_due(self) -> bool:
        since = self._intake.waiting_since
        return self._intake.is_full() or (
            since is not None and time.monotonic() - since >= self._settings.projector.batch_seconds
        )

    def _submit(self) -> None:
        cuts = self._intake.cut()
        if cuts:
            self._written = dict(cuts)
            self._writing = self._pool.submit(self._writer.write, cuts)

    def _reap(self, writing: Future[set[Source]]) -> None:
        self._writing = None
        lost = writing.result()
        if lost:
            _log.warning("%d partitions were taken over by another projector", len(lost))
            # Not those that came back to us, under a new claim, while this was being written.
            claims = {source: self._written[source].claim for source in lost}
            self._leave_unowned(self._intake.places_under(claims))
        self._commit({source: cut for source, cut in self._written.items() if source not in lost})

    def _commit(self, written: dict[Source, Cut]) -> None:
        # For people who look at the group's lag: positions come from the marks.
        offsets = [
            TopicPartition(self._names[source.topic], source.partition, cut.range.end)
            for source, cut in written.items()
        ]
        if offsets:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                _log.info("offsets not committed: %s", error)

    def _hold_back(self) -> None:
        """Wait for the writer while memory is full; keep the membership alive meanwhile."""
        full = self._intake.waiting >= _HELD_BATCHES * self._settings.projector.batch_rows
        if full and self._writing is not None:
            wait([self._writing], timeout=_WRITER_PATIENCE_S)
            if not self._writing.done() and not self._paused:
                self._consumer.pause(self._consumer.assignment())
                self._paused = True
        elif self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False

    def _settle(self) -> None:
        if self._writing is not None:
            self._reap(self._writing)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assign_flowing(consumer, self._own(consumer, partitions))
        self._paused = False
        if self._on_ready is not None:
            self._on_ready()
            self._on_ready = None

    def _claim_again(self) -> None:
        """Claim what Kafka still assigns to us: the one who claimed higher may be a zombie."""
        places = [TopicPartition(*place) for place in self._unowned]
        for at in self._own(self._consumer, places):
            if (at.topic, at.partition) not in self._unowned:
                self._consumer.seek(at)

    def _leave_unowned(self, places: Iterable[Place]) -> None:
        places = list(places)
        self._intake.forget(places)
        self._unowned.update(places)
        self._claim_again_at = time.monotonic() + _CLAIM_AGAIN_AFTER_S

    def _own(
        self, consumer: Consumer, partitions: Sequence[TopicPartition]
    ) -> list[TopicPartition]:
        """Take partitions over; give where each is to be read from."""
        sources = self._sources(partitions)
        taken = self._pool.submit(self._writer.take_over, list(sources.values())).result()
        self._leave_unowned(place for place, source in sources.items() if source not in taken)
        starts = []
        for place, source in sources.items():
            at = TopicPartition(*place)
            if source in taken:
                claim, position = taken[source]
                low = self._first_offset(consumer, at)
                if low > position.next_offset:
                    _log.warning(
                        "%s %d: offsets %d to %d are no longer in Kafka and were never projected",
                        *place,
                        position.next_offset,
                        low - 1,
                    )
                start = max(position.next_offset, low)
                self._intake.own(place, source, claim, position, start)
                self._unowned.discard(place)
                at.offset = start
            starts.append(at)
        return starts

    def _sources(self, partitions: Sequence[TopicPartition]) -> dict[tuple[str, int], Source]:
        ids = persist(lambda: topic_ids(self._settings.kafka), self._stop, "reading topic ids")
        sources = {}
        for partition in partitions:
            topic = self._topics[partition.topic]
            source = Source(topic.name, ids[topic].hex(), partition.partition)
            sources[(partition.topic, partition.partition)] = source
        return sources

    def _first_offset(self, consumer: Consumer, at: TopicPartition) -> int:
        low, _ = persist(
            lambda: consumer.get_watermark_offsets(at, timeout=_WATERMARK_TIMEOUT_S),
            self._stop,
            "reading watermarks",
        )
        return int(low)

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if not self._stop.is_set():
            self._settle()
        self._forget(partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        # Somebody else owns them already; what is being written is fenced or finished by them.
        self._forget(partitions)

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        places = {(each.topic, each.partition) for each in partitions}
        self._intake.forget(places)
        self._unowned -= places


def _without_errors(messages: list[Any]) -> list[Any]:
    good = []
    for message in messages:
        if (error := message.error()) is None:
            good.append(message)
        else:
            _log.warning("Kafka: %s", error.str())
    return good
