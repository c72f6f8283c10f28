"""Takes facts that may never be lost: keeps them on disk, then forwards them to Kafka."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.producers.eventlog.framing import Framer, decode_datum, newest_version
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.per_process import ForkGate, PerProcess, at_exit
from modeltrail.producers.spooling.destination import destination_of
from modeltrail.producers.spooling.fact import LARGEST_DATUM, pack_prefix
from modeltrail.producers.spooling.forwarder import Forwarder
from modeltrail.producers.spooling.spool import Spool
from modeltrail.schemas.codec import SchemaIds, encode_datum
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import Topic

_LOG = logging.getLogger(__name__)
_QUEUE_RECORDS = 20_000
_THREAD_STOP_S = 1.0
FULL_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Running:
    spool: Spool
    forwarder: Forwarder


class Outbox:
    """Where registry and experiment facts go; opened at the first fact, again in a forked child."""

    def __init__(
        self,
        settings: Settings,
        log: Log,
        schema_ids: Callable[[], SchemaIds],
        *,
        full_timeout_s: float = FULL_TIMEOUT_S,
    ) -> None:
        self._settings = settings.experiment_tracking
        # Now: while they were read, the embedded stack that they may lead to was running.
        self._destination = destination_of(settings)
        self._log = log
        self._schema_ids = schema_ids
        self._full_timeout_s = full_timeout_s
        self._running = PerProcess(self._open, forget=lambda running: running.spool.forget())

    def put(self, topic: Topic, key: bytes, fact: Fact) -> None:
        """Keep one fact, to be sent.

        Raises:
            InvalidFact: it does not fit its schema, or is larger than a Kafka message may be.
            SpoolFull: Kafka is away and the spool is full.
        """
        prefix = pack_prefix(topic.name, key, fact.record, newest_version(fact.record))
        self.put_packed(prefix, encode_datum(fact))

    def put_packed(self, prefix: bytes, datum: bytes) -> None:
        """Keep one encoded fact behind what `pack_prefix` made; errors as in `put`."""
        if len(datum) > LARGEST_DATUM:
            raise InvalidFact(
                f"a fact of {len(datum):,} bytes: {LARGEST_DATUM:,} are allowed; split it"
            )
        running = self._running.made or self._running.get()
        running.spool.append(prefix + datum, self._full_timeout_s)
        running.forwarder.wake()

    def adopt_abandoned(self) -> None:
        """Take over what dead processes left in the spool's folder; it is sent before new facts.

        Raises:
            OSError: the folder cannot be written.
        """
        running = self._running.made
        if running is None:
            self._running.get()
            return
        running.spool.adopt_abandoned()
        running.forwarder.wake()

    def unsent(self, topic: Topic, key: bytes, kinds: Collection[type[Fact]]) -> list[Fact]:
        """The facts of these kinds and this key that Kafka has not acknowledged, in order."""
        running = self._running.made
        if running is None:
            return []
        records = {kind.record for kind in kinds}
        spooled = running.spool.unacknowledged(
            lambda of: (of.topic, of.key) == (topic.name, key) and of.record in records
        )
        return [decode_datum(of.record, of.version, datum) for of, datum in spooled]

    def flush(self, timeout_s: float) -> bool:
        """Wait until Kafka has every fact that was put before; whether it has."""
        running = self._running.made
        return running is None or running.spool.wait_drained(timeout_s)

    def sync(self) -> None:
        """Write every fact to the disk, against a power cut."""
        if running := self._running.made:
            running.spool.sync()

    def close(self) -> None:
        """Flush within `experiment_tracking.flush_timeout_s`, then stop; the rest stays on disk."""
        running = self._running.take()
        if running is None:
            return
        if not running.spool.wait_drained(self._settings.flush_timeout_s):
            _LOG.warning(
                "Kafka has not taken every fact: the rest stays in %s, and is sent by the next "
                "ModelRegistry or ExperimentTracker with this folder and this Kafka",
                self._settings.spool_path,
            )
        running.forwarder.close(_THREAD_STOP_S)

    def _open(self) -> _Running:
        spool = Spool(
            Path(self._settings.spool_path), self._settings.spool_max_mb << 20, self._destination
        )
        at_exit(self.close)
        try:
            gate = ForkGate()
            sender = self._log.sender(queue_records=_QUEUE_RECORDS, give_up_after_s=None)
            forwarder = Forwarder(spool, sender, Framer(self._schema_ids(), gate), gate)
        except BaseException:
            # Nobody would send what lies there while a spool that nobody reads holds the locks.
            spool.close()
            raise
        return _Running(spool, forwarder)
