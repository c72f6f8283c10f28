"""Reads the registry topic into what is registered, without any database."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.producers.registry.snapshot import RegistrySnapshot
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact, ModelErased
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.topics import REGISTRY

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class RegistryView:
    """What is registered as of the last read; the log is read once, from its beginning."""

    def __init__(self, log: Log, codec: Codec, *, until: Micros | None = None) -> None:
        """Prepare; nothing is read yet.

        Args:
            log: where the registry topic is.
            codec: decodes its facts.
            until: the append time of the last fact that counts; None: there is no last.
        """
        self._log = log
        self._codec = codec
        self._until = until
        self._lock = threading.Lock()
        self._positions: dict[int, int] = {}
        self._snapshot = RegistrySnapshot()
        self._erasures: list[ModelErased] = []

    def read(self, ask: Callable[[RegistrySnapshot], T]) -> T:
        """What `ask` says of everything that was in the log when this was called.

        Raises:
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        with self._lock:
            self._refresh()
            return ask(self._snapshot)

    def take_erasures(self) -> list[ModelErased]:
        """The erasures read since this was last asked."""
        with self._lock:
            taken, self._erasures = self._erasures, []
        return taken

    def _refresh(self) -> None:
        if not self._positions:
            self._positions = dict.fromkeys(range(self._log.partitions(REGISTRY)), 0)
        # Moved on only behind what was absorbed: after an error the rest is read again.
        positions = dict(self._positions)
        ends = self._log.end_offsets(REGISTRY, tuple(positions))
        for record in read_to_end(self._log, REGISTRY, positions, ends):
            self._absorb(record)
            self._positions[record.partition] = record.offset + 1

    def _absorb(self, record: LogRecord) -> None:
        if self._until is not None and record.appended_at > self._until:
            return
        try:
            fact: Fact = self._codec.decode(record.value or b"")
            self._snapshot.absorb(fact, record.appended_at)
        except (DecodeError, ValueError) as error:
            # The projector puts it into the dead letters; here it must not hide the others.
            _LOG.warning(
                "skipped partition %d offset %d of the registry topic: %s",
                record.partition,
                record.offset,
                error,
            )
            return
        if isinstance(fact, ModelErased):
            self._erasures.append(fact)
