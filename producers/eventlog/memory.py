"""A log and a schema registry in memory: for tests of jobs and nodes, without any server."""

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Mapping

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure, LogRecord
from modeltrail.schemas.errors import SchemaRegistryUnavailable, UnknownSchemaId
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import Topic

MAX_RECORD_BYTES = 1_048_576


class MemoryLog:
    """A `Log` in this process; `away = True` makes it behave like a cluster that is down."""

    def __init__(self, partitions: int = 4, clock: Clock | None = None) -> None:
        self.away = False
        self.changed = threading.Condition()
        self.senders: list[MemorySender] = []
        self._count = partitions
        self._clock = clock or SystemClock()
        self._records: dict[tuple[str, int], list[LogRecord]] = defaultdict(list)

    def records(self, topic: Topic) -> list[LogRecord]:
        """Every record of `topic`, partition by partition."""
        with self.changed:
            return [
                record
                for partition in range(self._count)
                for record in self._records[topic.name, partition]
            ]

    def append(self, topic: Topic, key: bytes, value: bytes) -> LogRecord:
        """Append one record at once."""
        partition = partition_of(key, self._count)
        with self.changed:
            held = self._records[topic.name, partition]
            record = LogRecord(partition, len(held), Micros(self._clock.now_us()), key, value)
            held.append(record)
            self.changed.notify_all()
        return record

    def partitions(self, topic: Topic) -> int:  # noqa: ARG002 (the port has topics that differ)
        """How many partitions every topic has."""
        self._require_here()
        return self._count

    def end_offsets(self, topic: Topic, partitions: tuple[int, ...]) -> dict[int, int]:
        """The offset that the next record of each partition will get."""
        self._require_here()
        with self.changed:
            return {
                partition: len(self._records[topic.name, partition]) for partition in partitions
            }

    def cursor(self, topic: Topic, starts: Mapping[int, int]) -> "MemoryCursor":
        """Read from these offsets on."""
        return MemoryCursor(self, topic, dict(starts))

    def sender(self, *, queue_records: int, give_up_after_s: float | None) -> "MemorySender":
        """A sender with a bounded queue."""
        sender = MemorySender(self, queue_records, give_up_after_s, self._clock)
        self.senders.append(sender)
        return sender

    def after(self, topic: Topic, positions: dict[int, int]) -> list[LogRecord]:
        """Take every record at or after `positions`, and move them on."""
        self._require_here()
        found = []
        for partition, offset in positions.items():
            records = self._records[topic.name, partition][offset:]
            found += records
            positions[partition] = offset + len(records)
        return found

    def _require_here(self) -> None:
        if self.away:
            raise Unavailable("the log in memory is away: set `away = False`")


class MemoryCursor:
    """A `Cursor` over a `MemoryLog`."""

    def __init__(self, log: MemoryLog, topic: Topic, positions: dict[int, int]) -> None:
        self._log = log
        self._topic = topic
        self._positions = positions

    def poll(self, wait_s: float) -> list[LogRecord]:
        """The next records; empty when none came within `wait_s`."""
        with self._log.changed:
            found = self._log.after(self._topic, self._positions)
            if not found and self._log.changed.wait(wait_s):
                found = self._log.after(self._topic, self._positions)
            return found

    def close(self) -> None:
        """Nothing to let go."""


class MemorySender:
    """A `Sender` to a `MemoryLog`; records wait in its queue while the log is away."""

    def __init__(
        self, log: MemoryLog, queue_records: int, give_up_after_s: float | None, clock: Clock
    ) -> None:
        self._log = log
        self._limit = queue_records
        self._patience = give_up_after_s
        self._clock = clock
        self._queue: deque[tuple[float, Topic, bytes, bytes, Delivered]] = deque()

    def send(self, topic: Topic, key: bytes, value: bytes, delivered: Delivered) -> bool:
        """Queue one record; False: the queue is full."""
        if len(self._queue) >= self._limit:
            return False
        self._queue.append((self._clock.monotonic(), topic, key, value, delivered))
        return True

    @property
    def queued(self) -> int:
        """The records that were not delivered yet."""
        return len(self._queue)

    def poll(self, timeout_s: float) -> None:
        """Deliver what is queued, or wait while the log is away."""
        if self._log.away:
            self._give_up()
            with self._log.changed:
                self._log.changed.wait(timeout_s)
            return
        while self._queue:
            _, topic, key, value, delivered = self._queue.popleft()
            if len(value) > MAX_RECORD_BYTES:
                delivered(DeliveryFailure("message too large", True, key, value))
                continue
            self._log.append(topic, key, value)
            delivered(None)

    def flush(self, timeout_s: float) -> int:
        """Deliver what is queued; the number of records left."""
        self.poll(timeout_s)
        return len(self._queue)

    def _give_up(self) -> None:
        while self._queue and self._patience is not None:
            since, _, key, value, delivered = self._queue[0]
            if self._clock.monotonic() - since < self._patience:
                break
            self._queue.popleft()
            delivered(DeliveryFailure("timed out", False, key, value))


class MemorySchemaIds:
    """A `SchemaIds` in this process; `away = True` makes it behave like a registry that is down."""

    def __init__(self) -> None:
        self.away = False
        self._ids: dict[tuple[str, str], int] = {}
        self._texts: dict[int, str] = {}
        self._next = itertools.count(1)

    def id_of(self, subject: str, schema: str) -> int:
        """The id of `schema`, given at first sight."""
        self._require_here()
        if (subject, schema) not in self._ids:
            number = next(self._next)
            self._ids[subject, schema] = number
            self._texts[number] = schema
        return self._ids[subject, schema]

    def schema_of(self, schema_id: int) -> str:
        """The schema with that id."""
        self._require_here()
        if schema_id not in self._texts:
            raise UnknownSchemaId(f"the registry in memory has no schema {schema_id}")
        return self._texts[schema_id]

    def _require_here(self) -> None:
        if self.away:
            raise SchemaRegistryUnavailable("the registry in memory is away: set `away = False`")
