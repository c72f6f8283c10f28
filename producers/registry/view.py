"""Reads the registry topic into the versions of every model, without any database."""

import logging
import threading

from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.producers.registry.fold import ModelHistory, fold
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import ModelRegistered
from modeltrail.schemas.ids import ModelId
from modeltrail.schemas.topics import REGISTRY

_LOG = logging.getLogger(__name__)


class RegistryView:
    """What is registered as of the last `refresh`; the log is read once, from its beginning."""

    def __init__(self, log: Log, codec: Codec) -> None:
        self.undecodable = 0
        self._log = log
        self._codec = codec
        self._lock = threading.Lock()
        self._positions: dict[int, int] = {}
        self._models: dict[ModelId, ModelHistory] = {}

    def refresh(self) -> None:
        """Absorb everything that was in the log when this was called.

        Raises:
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        with self._lock:
            if not self._positions:
                self._positions = dict.fromkeys(range(self._log.partitions(REGISTRY)), 0)
            # Moved on only behind what was absorbed: after an error the rest is read again.
            positions = dict(self._positions)
            ends = self._log.end_offsets(REGISTRY, tuple(positions))
            for record in read_to_end(self._log, REGISTRY, positions, ends):
                self._absorb(record)
                self._positions[record.partition] = record.offset + 1

    def history(self, model_id: str) -> ModelHistory:
        """The versions of one model; empty when it has none."""
        return self._models.get(ModelId(model_id), ModelHistory())

    def model_ids(self) -> list[ModelId]:
        """The models that have a version, sorted."""
        return sorted(self._models)

    def _absorb(self, record: LogRecord) -> None:
        try:
            fact = self._codec.decode(record.value or b"")
            if isinstance(fact, ModelRegistered):
                self._models[fact.model_id] = fold(self.history(fact.model_id), fact)
        except (DecodeError, ValueError) as error:
            # The projector puts it into the dead letters; here it must not hide the others.
            self.undecodable += 1
            _LOG.warning(
                "skipped partition %d offset %d of the registry topic: %s",
                record.partition,
                record.offset,
                error,
            )
