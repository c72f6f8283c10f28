"""The port to the event log: what the SDK asks of Kafka, and nothing more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from modeltrail.schemas.ids import Micros
from modeltrail.schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as the log holds it; `appended_at` is the broker's time."""

    partition: int
    offset: int
    appended_at: Micros
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a record was not appended; a permanent failure would fail again."""

    detail: str
    permanent: bool
    key: bytes
    value: bytes


Delivered = Callable[[DeliveryFailure | None], None]


class Sender(Protocol):
    """Appends records asynchronously, in order within a partition; one thread uses it."""

    def send(self, topic: Topic, key: bytes, value: bytes, delivered: Delivered) -> bool:
        """Queue one record; False: not now, as the queue is full: `poll` and try again.

        `delivered` is called once by a later `poll` or `flush`, with None once every in-sync
        replica has the record.
        """
        ...

    def poll(self, timeout_s: float) -> None:
        """Call the callbacks that are due, waiting up to `timeout_s` for the first."""
        ...

    def flush(self, timeout_s: float) -> int:
        """Wait for every queued record; the number of those without an answer yet."""
        ...


class Cursor(Protocol):
    """Reads records of some partitions in offset order; one thread uses it."""

    def poll(self, wait_s: float) -> list[LogRecord]:
        """The next records; empty when none came within `wait_s`.

        Raises:
            Unavailable: the log does not answer.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


class Log(Protocol):
    """An append-only log of partitioned topics."""

    def partitions(self, topic: Topic) -> int:
        """How many partitions `topic` has.

        Raises:
            Unavailable: no answer, or there is no such topic.
        """
        ...

    def end_offsets(self, topic: Topic, partitions: tuple[int, ...]) -> dict[int, int]:
        """The offset that the next record of each partition will get.

        Raises:
            Unavailable: no answer.
        """
        ...

    def cursor(self, topic: Topic, starts: Mapping[int, int]) -> Cursor:
        """Read from these offsets on; an offset of 0 means the first that is kept."""
        ...

    def sender(self, *, queue_records: int, give_up_after_s: float | None) -> Sender:
        """A sender with a bounded queue; None: records are never given up."""
        ...
