"""One destination's member of its consumer group: reads alerts, delivers, commits what was taken.

The group is the destination's own, so one that is away holds up nobody else. A partition's alerts
are delivered in order and wait in the log while one of them is tried again; at most a few hundred
records of a partition are in memory.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import assign_flowing, make_consumer
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.topics import ALERTS
from modeltrail.sinks.delivery.backoff import backoff_s
from modeltrail.sinks.delivery.destination import Destination
from modeltrail.sinks.delivery.fold import Step
from modeltrail.sinks.delivery.lane import Lane
from modeltrail.sinks.delivery.starts import MembershipLost, starts_of
from modeltrail.sinks.delivery.verdict import Refused, Taken, TryLater
from modeltrail.sinks.projector.patience import Stopped, persist

_HELD_RECORDS = 500
_IDLE_S = 0.2
_REMINDED_AT_ONCE = 64
_CONSUMER = {
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1500,
    "fetch.wait.max.ms": 100,
    "queued.max.messages.kbytes": 8192,
    "enable.partition.eof": True,
}

Bury = Callable[[Step, str], None]
"""Keeps a step that was refused for good, with what the destination said."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Owned:
    """A partition of ours: `committed` as Kafka has it, times by the monotonic clock in s."""

    lane: Lane
    committed: int
    remind_at: float
    wait_until: float = 0.0
    paused: bool = False


class Member:
    """One thread: reads, then makes at most one attempt, so that it never leaves Kafka alone."""

    def __init__(
        self,
        settings: Settings,
        destination: Destination,
        codec: Codec,
        bury: Bury,
        clock: Clock,
        stop: threading.Event,
        on_assigned: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._to = destination
        self._codec = codec
        self._bury = bury
        self._clock = clock
        self._stop = stop
        self._on_assigned = on_assigned
        self._topic = ALERTS.full_name(settings.kafka.topic_prefix)
        self._owned: dict[int, Owned] = {}
        self._last = -1
        self._busy = False
        self._consumer: Consumer = make_consumer(
            settings.kafka, group_of(settings.kafka.topic_prefix, destination.name), **_CONSUMER
        )

    def run(self) -> None:
        """Deliver until told to stop; an attempt that is under way is finished first."""
        self._consumer.subscribe(
            [self._topic],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )
        try:
            while not self._stop.is_set():
                self._turn()
        except Stopped:
            _log.info("%s: stopped while waiting for Kafka", self._to.name)
        finally:
            self._commit(self._owned, wait=True)
            self._owned = {}
            self._consumer.close()

    def _turn(self) -> None:
        self._read(0.0 if self._busy else _IDLE_S)
        self._busy = any(self._attempt(*each) for each in self._in_rotation())
        for owned in self._owned.values():
            self._remind(owned)
        self._hold_back()
        self._commit(self._owned, wait=False)

    def _read(self, wait_s: float) -> None:
        # `consume(n, t)` waits the whole of t unless n come: take what is there already.
        first = self._consumer.consume(1, wait_s)
        self._take(first)
        if first:
            self._take(self._consumer.consume(_HELD_RECORDS, 0))

    def _take(self, messages: list[Any]) -> None:
        for message in messages:
            owned = self._owned.get(message.partition())
            if (error := message.error()) is None:
                if owned is not None:
                    owned.lane.offer(message.offset(), self._record(message))
            elif error.code() != KafkaError._PARTITION_EOF:
                _log.warning("%s: Kafka: %s", self._to.name, error.str())
            elif owned is not None:
                owned.lane.reached_end(message.offset())

    def _record(self, message: Any) -> Appended | None:
        try:
            fact = persist(
                lambda: self._codec.decode(message.value() or b""), self._stop, "reading a schema"
            )
        except DecodeError as error:
            # The projector reads this topic too and files the dead letter.
            _log.warning("%s: offset %d is no fact: %s", self._to.name, message.offset(), error)
            return None
        return Appended(message.partition(), message.offset(), message.timestamp()[1], fact)

    def _in_rotation(self) -> Sequence[tuple[int, Owned]]:
        """The partitions, the one of the last attempt at the end: none waits for a busy one."""
        return sorted(self._owned.items(), key=lambda each: (each[0] <= self._last, each[0]))

    def _attempt(self, partition: int, owned: Owned) -> bool:
        """Try the partition's next step, once; False: there is none, or it is not time yet."""
        step = owned.lane.next_step(self._clock.now_us())
        if step is None or self._clock.monotonic() < owned.wait_until:
            return False
        self._last = partition
        match self._to.tell(step):
            case Taken():
                owned.lane.was_taken()
            case Refused(detail):
                _log.error("%s refused alert %s: %s", self._to.name, _named(step), detail)
                persist(lambda: self._bury(step, detail), self._stop, "sending a dead letter")
                owned.lane.was_taken()
            case TryLater(detail, asked_s):
                failures = owned.lane.was_not_taken()
                longest_s = self._settings.alerting.max_backoff_s
                wait_s = backoff_s(failures, random.random(), longest_s, asked_s)  # noqa: S311
                owned.wait_until = self._clock.monotonic() + wait_s
                _log.warning(
                    "%s did not take alert %s (%s): attempt %d, the next in %.1f s",
                    *(self._to.name, _named(step), detail, failures, wait_s),
                )
        return True

    def _remind(self, owned: Owned) -> None:
        reminder, now = self._to.reminder, self._clock.monotonic()
        if reminder is None or now < owned.remind_at:
            return
        owned.remind_at = now + reminder.every_s
        steps = owned.lane.reminders(self._clock.now_us())
        for start in range(0, len(steps), _REMINDED_AT_ONCE):
            verdict = reminder.tell(steps[start : start + _REMINDED_AT_ONCE])
            if not isinstance(verdict, Taken):
                _log.warning(
                    "%s was not reminded of %d open alerts (%s): the next time in %.0f s",
                    *(self._to.name, len(steps) - start, verdict.detail, reminder.every_s),
                )
                return

    def _hold_back(self) -> None:
        for partition, owned in self._owned.items():
            at = [TopicPartition(self._topic, partition)]
            if not owned.paused and owned.lane.held >= _HELD_RECORDS:
                self._consumer.pause(at)
                owned.paused = True
            elif owned.paused and not owned.lane.held:
                self._consumer.resume(at)
                owned.paused = False

    def _commit(self, partitions: Sequence[int] | dict[int, Owned], *, wait: bool) -> None:
        offsets = []
        for partition in partitions:
            owned = self._owned.get(partition)
            done = owned.lane.done if owned else None
            if owned is not None and done is not None and (wait or done > owned.committed):
                owned.committed = done
                offsets.append(TopicPartition(self._topic, partition, done))
        if not offsets:
            return
        try:
            if wait:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            else:
                self._consumer.commit(offsets=offsets)
        except KafkaException as error:
            _log.info("%s: offsets not committed: %s", self._to.name, error)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            starts = persist(
                lambda: starts_of(consumer, partitions), self._stop, "reading committed offsets"
            )
        except MembershipLost as error:
            _log.warning("%s: joining its group again: %s", self._to.name, error)
            # Only after this call the client joins again; then it is assigned anew.
            consumer.assign([])
            return
        reminder = self._to.reminder
        remind_at = self._clock.monotonic() + (reminder.every_s if reminder else 0.0)
        self._owned = {
            partition: Owned(
                Lane(self._to.policy, start, first),
                committed=-1 if start.begins else start.live_from,
                remind_at=remind_at,
            )
            for partition, (start, first) in starts.items()
        }
        assign_flowing(
            consumer,
            [TopicPartition(self._topic, each, first) for each, (_, first) in starts.items()],
        )
        self._on_assigned()

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit([each.partition for each in partitions], wait=True)
        self._lost(_, partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._owned.pop(each.partition, None)


def group_of(topic_prefix: str, destination: str) -> str:
    """The consumer group of a destination."""
    return f"{topic_prefix}delivery.{destination}"


def _named(step: Step) -> str:
    return f"{step.alert.alert_id.hex()} ({step.alert.rule} of {step.alert.model_id})"
