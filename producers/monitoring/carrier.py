"""Gives monitors the courier of this process: one of their own each, or one that they share."""

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.monitoring.capture_clock import CaptureClock
from modeltrail.producers.monitoring.counts import NOTHING_YET, Counts
from modeltrail.producers.monitoring.courier import Courier
from modeltrail.producers.per_process import PerProcess
from modeltrail.schemas.codec import SchemaIds


class Carrier:
    """One courier per process, started at first use; a forked child gets one of its own."""

    def __init__(
        self, settings: Settings, log: Log | None, schema_ids: SchemaIds | None, clock: Clock
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: what is collected, and where Kafka and the schema registry are.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            clock: whose time measurements have.

        Raises:
            ConfigError: no Kafka or schema registry is configured, and measurements are collected.
        """
        self.capture = CaptureClock(clock)
        self._settings = settings
        self._clock = clock
        self._given_ids = schema_ids
        if settings.monitoring.metrics_collection:
            self._log = log or KafkaLog(settings.kafka)
            self._ids()
        self._courier = PerProcess(self._start)
        self._final = NOTHING_YET

    def courier(self) -> Courier:
        """This process's courier."""
        return self._courier.get()

    def counts(self) -> Counts:
        """What became of all measurements of this process so far."""
        courier = self._courier.made
        return self._final if courier is None else courier.counts()

    def close(self) -> None:
        """Send what is queued within `monitoring.flush_timeout_s`, then stop."""
        courier = self._courier.take()
        if courier is not None:
            courier.close(self._settings.monitoring.flush_timeout_s)
            self._final = courier.counts()

    def _start(self) -> Courier:
        return Courier(self._settings.monitoring, self._log, self._ids, self._clock, self.capture)

    def _ids(self) -> SchemaIds:
        return self._given_ids or ConfluentSchemaIds(self._settings.schema_registry, retries=0)
