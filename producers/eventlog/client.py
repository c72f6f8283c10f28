"""What every client of the log begins with: the log, a codec and a clock."""

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.schemas.codec import Codec, SchemaIds


class LogClient:
    """A client that asks and reads by facts; one thread uses it."""

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
        settings = settings or load_settings()
        self._log = log or KafkaLog(settings.kafka)
        self._codec = Codec(schema_ids or ConfluentSchemaIds(settings.schema_registry))
        self._clock = clock or SystemClock()
