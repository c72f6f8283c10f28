"""Runs the projector: wires its clients to a member of the consumer group, until told to stop."""

import os
import threading
from collections.abc import Callable

from clickhouse_driver import Client

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.sinks.migrate import require_migrated
from modeltrail.sinks.projector.declared_metrics import DeclaredMetrics
from modeltrail.sinks.projector.member import Member
from modeltrail.sinks.projector.patience import Stopped, persist
from modeltrail.sinks.projector.project import project
from modeltrail.sinks.projector.records import Projected, Records
from modeltrail.sinks.projector.tables import Tables
from modeltrail.sinks.projector.writer import Writer


def run_projector(settings: Settings, stop: threading.Event, on_ready: Callable[[], None]) -> None:
    """Project every topic until `stop` is set; then finish the range at hand and leave the group.

    Args:
        settings: where the servers are and how batches are cut.
        stop: ends the run.
        on_ready: called once, when the first partitions were assigned and taken over.

    Raises:
        ConfigError: a server is not configured.
        NotMigrated: the database lacks migrations.
        TooManyDeadLetters: most of a batch cannot be read; nothing of it was written.
    """
    with make_client(settings.clickhouse) as client:
        try:
            persist(
                lambda: require_migrated(client, settings.clickhouse.database),
                stop,
                "looking for migrations",
            )
        except Stopped:
            return
        _project(settings, client, stop, on_ready)


def _project(
    settings: Settings, client: Client, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    producer = AcknowledgedProducer(settings.kafka)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    declared = DeclaredMetrics(settings.kafka, codec)

    def project_records(records: Records) -> Projected:
        return project(
            records,
            codec,
            declared.since,
            topic_prefix=settings.kafka.topic_prefix,
            dead_letter_limit=settings.projector.dead_letter_limit,
        )

    writer = Writer(
        Tables(client, settings.clickhouse.database, SystemClock()),
        producer,
        codec,
        project_records,
        topic_prefix=settings.kafka.topic_prefix,
        writer_id=os.urandom(8).hex(),
        stop=stop,
    )
    try:
        Member(settings, writer, stop, on_ready).run()
    finally:
        declared.close()
