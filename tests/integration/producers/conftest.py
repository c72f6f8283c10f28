"""Gives the SDK's integration tests a patient wait and a registry that answers."""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.infra.topics import create_topics
from modeltrail.processors.registry.fold import ModelState
from modeltrail.processors.registry.fold import fold as decide
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import REGISTRY, Topic
from tests.waiting import eventually


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits until a condition holds, and fails when it does not for too long."""
    return eventually


@pytest.fixture
def fresh_settings(stack: Settings, tmp_path: Path) -> Settings:
    """The stack under topics and folders that no other test has; the SDK needs no database."""
    settings = replace(
        stack,
        kafka=replace(stack.kafka, topic_prefix=f"{secrets.token_hex(4)}."),
        model_registry=replace(stack.model_registry, path=str(tmp_path / "artifacts")),
        experiment_tracking=replace(stack.experiment_tracking, spool_path=str(tmp_path / "spool")),
    )
    create_topics(settings.kafka)
    return settings


@pytest.fixture
def environment(fresh_settings: Settings) -> dict[str, str]:
    """The environment in which another process has these settings."""
    return {
        **os.environ,
        "MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS": fresh_settings.kafka.bootstrap_servers,
        "MODELTRAIL_KAFKA_TOPIC_PREFIX": fresh_settings.kafka.topic_prefix,
        "MODELTRAIL_SCHEMA_REGISTRY_URL": fresh_settings.schema_registry.url,
        "MODELTRAIL_EXPERIMENT_TRACKING_SPOOL_PATH": fresh_settings.experiment_tracking.spool_path,
        "MODELTRAIL_STACK_DATA_DIR": fresh_settings.stack.data_dir,
        # A busy machine may need longer than a node should wait; the limit has a test of its own.
        "MODELTRAIL_MONITORING_FLUSH_TIMEOUT_S": "30",
    }


@pytest.fixture
def facts_in(fresh_settings: Settings) -> Callable[[Topic], list[Fact]]:
    log = KafkaLog(fresh_settings.kafka)
    codec = Codec(ConfluentSchemaIds(fresh_settings.schema_registry))

    def read(topic: Topic) -> list[Fact]:
        count = log.partitions(topic)
        ends = log.end_offsets(topic, tuple(range(count)))
        positions = dict.fromkeys(range(count), 0)
        return [
            codec.decode(record.value or b"") for record in read_to_end(log, topic, positions, ends)
        ]

    return read


@pytest.fixture
def registry_worker(fresh_settings: Settings) -> Iterator[None]:
    """The real registry fold, answering in a thread: the worker itself is tested elsewhere."""
    stop = threading.Event()
    codec = Codec(ConfluentSchemaIds(fresh_settings.schema_registry))
    log = KafkaLog(fresh_settings.kafka)
    producer = make_producer(fresh_settings.kafka)
    topic = REGISTRY.full_name(fresh_settings.kafka.topic_prefix)

    def answer() -> None:
        states: dict[bytes, ModelState] = {}
        cursor = log.cursor(REGISTRY, dict.fromkeys(range(log.partitions(REGISTRY)), 0))
        while not stop.is_set():
            for record in cursor.poll(0.1):
                key = record.key or b""
                fact = codec.decode(record.value or b"")
                states[key], answers = decide(states.get(key, ModelState()), fact)
                for made in answers:
                    producer.produce(topic, codec.encode(made), key)
                producer.flush(10)
        cursor.close()

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    stop.set()
    thread.join()
