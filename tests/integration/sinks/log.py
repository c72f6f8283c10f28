"""Appends facts and other bytes to a test's topics and reads what the projector made of them."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, Message

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import end_offsets
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, PartitionAdvanced, TimeMarked, WindowsDecided
from modeltrail.schemas.topics import DEAD_LETTERS, Topic
from modeltrail.sinks.queries.progress import wait_until_projected

PATIENCE_S = 300.0
_ABOUT_A_PARTITION = (PartitionAdvanced, TimeMarked, WindowsDecided)
_ANY = -1


class Log:
    """A producer of one test's topics."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.codec = Codec(ConfluentSchemaIds(settings.schema_registry))
        self._producer = make_producer(settings.kafka)

    def append(
        self, topic: Topic, values: Iterable[Fact | bytes], key: bytes | None = None
    ) -> None:
        """Append and wait for the acknowledgements; a fact about a partition goes to it."""
        name = topic.full_name(self.settings.kafka.topic_prefix)
        refusals: list[str] = []

        def answered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                refusals.append(error.str())

        for value in values:
            datum = value if isinstance(value, bytes) else self.codec.encode(value)
            partition = value.partition if isinstance(value, _ABOUT_A_PARTITION) else _ANY
            self._producer.produce(
                name, key=key, value=datum, partition=partition, on_delivery=answered
            )
        assert self._producer.flush(PATIENCE_S) == 0
        assert not refusals

    def ends(self) -> dict[tuple[str, int], int]:
        """The high watermark of every partition that has records."""
        ends = end_offsets(self.settings.kafka)
        return {place: end for place, end in ends.items() if end}

    def wait(self) -> None:
        """Wait until everything appended so far is in the tables, dead letters included."""
        database = self.settings.clickhouse.database
        ends = self.ends()
        sources = {place: end for place, end in ends.items() if place[0] != DEAD_LETTERS.name}
        with make_client(self.settings.clickhouse) as client:
            wait_until_projected(client, database, sources, PATIENCE_S)
            # They were sent before their ranges were done, so these ends are final.
            wait_until_projected(client, database, self.ends(), PATIENCE_S)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the test's database."""
        with make_client(self.settings.clickhouse) as client:
            rows: list[tuple[Any, ...]] = client.execute(sql)
        return rows

    def fingerprints(self, *names: str) -> dict[str, tuple[int, int]]:
        """Row count and a hash over all rows and columns of tables or views, in any order."""
        return {
            name: self.ask(
                f"SELECT count(), sum(cityHash64(formatRowNoNewline('TSV', *))) FROM {name}"
            )[0]
            for name in names
        }
