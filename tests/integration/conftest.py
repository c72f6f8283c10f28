"""Gives integration tests one real stack, and each test topics and a database of its own."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings, environment_name
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.infra.stack import running_stack
from modeltrail.infra.topics import create_topics
from modeltrail.schemas.catalog import schema_files
from modeltrail.sinks.migrate import migrate

_numbers = itertools.count(1)
# A busy machine may need longer than a user should wait.
_STARTS_SLOWLY = {environment_name("stack", "ready_timeout_s"): "300"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running Kafka, schema registry and ClickHouse; they end with the test process."""
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder, workers=False, environ=_STARTS_SLOWLY) as settings:
        ConfluentSchemaIds(settings.schema_registry).publish(schema_files())
        yield settings


@pytest.fixture
def fresh_settings(stack: Settings, tmp_path: Path) -> Settings:
    """The stack under a topic prefix, database and folders that no other test has."""
    return settings_of_their_own(stack, tmp_path)


def settings_of_their_own(stack: Settings, folder: Path) -> Settings:
    """The same for whoever cannot ask for a fixture of one test."""
    number = next(_numbers)
    settings = replace(
        stack,
        kafka=replace(stack.kafka, topic_prefix=f"t{number}."),
        clickhouse=replace(stack.clickhouse, database=f"t{number}"),
        model_registry=replace(stack.model_registry, path=str(folder / "artifacts")),
        experiment_tracking=replace(stack.experiment_tracking, spool_path=str(folder / "spool")),
    )
    create_topics(settings.kafka)
    with make_client(settings.clickhouse, database="") as client:
        migrate(client, settings.clickhouse.database)
    return settings


def worker_environment(settings: Settings) -> dict[str, str]:
    """The environment in which a subprocess has these settings."""
    return {
        **os.environ,
        "MODELTRAIL_STACK_DATA_DIR": settings.stack.data_dir,
        "MODELTRAIL_KAFKA_TOPIC_PREFIX": settings.kafka.topic_prefix,
        "MODELTRAIL_CLICKHOUSE_DATABASE": settings.clickhouse.database,
        "MODELTRAIL_CLICKHOUSE_READER_USER": settings.clickhouse.reader_user,
        "MODELTRAIL_CLICKHOUSE_READER_PASSWORD": settings.clickhouse.reader_password.reveal(),
        "MODELTRAIL_MODEL_REGISTRY_PATH": settings.model_registry.path,
        "MODELTRAIL_EXPERIMENT_TRACKING_SPOOL_PATH": settings.experiment_tracking.spool_path,
    }
