"""Every fact that calls for a document leads to a request, whatever becomes of the producer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from modeltrail.infra import acknowledged
from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.documents.automation import run_automation
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import DocumentRequested, ModelRegistered
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Version, new_event_id
from modeltrail.schemas.topics import DOCUMENTS, REGISTRY, key_of
from tests.integration.broken_off import Producers
from tests.waiting import eventually


@contextmanager
def asking(settings: Settings, codec: Codec) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_automation, args=(settings.kafka, codec, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def register(settings: Settings, codec: Codec, *versions: str) -> None:
    appender = Appender(KafkaLog(settings.kafka), codec)
    for version in versions:
        fact = replace(
            example_fact(ModelRegistered), event_id=new_event_id(), version=Version(version)
        )
        appender.put(REGISTRY, key_of(fact.model_id), fact)
    appender.finish()


def requested(settings: Settings, codec: Codec) -> set[str | None]:
    topic = DOCUMENTS.full_name(settings.kafka.topic_prefix)
    facts = [
        codec.decode(value or b"")
        for partition in range(settings.kafka.partitions)
        for value in read_partition(settings.kafka, topic, partition)
    ]
    return {fact.version for fact in facts if isinstance(fact, DocumentRequested)}


def test_requests_that_kafka_did_not_take_are_made_again(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(acknowledged, monkeypatch)
    codec = Codec(ConfluentSchemaIds(fresh_settings.schema_registry))
    with asking(fresh_settings, codec):
        register(fresh_settings, codec, "v1.0.0")
        eventually(lambda: requested(fresh_settings, codec) == {"v1.0.0"})
        made.break_off()

        register(fresh_settings, codec, "v1.1.0", "v1.2.0")

        eventually(lambda: requested(fresh_settings, codec) == {"v1.0.0", "v1.1.0", "v1.2.0"})
    assert len(made.made) == 2
