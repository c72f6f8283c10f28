"""What every client of the log begins with: the log, the schema registry, a codec and a clock."""

from functools import cached_property

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.schemas.codec import Codec, SchemaIds


class LogAccess:
    """Where the log and the schema registry are; nothing in it is bound to a thread or process."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            clock: None is the machine's.

        Raises:
            ConfigError: no Kafka or schema registry is configured.
        """
        self._settings = settings or load_settings()
        self._log = log or KafkaLog(self._settings.kafka)
        self._clock = clock or SystemClock()
        self._given_ids = schema_ids
        # So that a missing address is said here, not at the first fact.
        self._ids()

    def _ids(self) -> SchemaIds:
        """The schema registry, for one process."""
        return self._given_ids or ConfluentSchemaIds(self._settings.schema_registry)


class LogClient(LogAccess):
    """A client that asks and reads by facts; one thread uses it."""

    @cached_property
    def _codec(self) -> Codec:
        return Codec(self._ids())
