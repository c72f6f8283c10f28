"""Rules and the registry are known up to an append time of the log, whatever time it is here."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.log_reader import LatestOffsets, PartitionReader
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, InferenceMeasured, ModelRegistered
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Version, new_event_id
from modeltrail.schemas.topics import INFERENCE, REGISTRY, Topic, key_of

KEY = key_of("centerface")


@pytest.fixture
def codec(fresh_settings: Settings) -> Codec:
    return Codec(ConfluentSchemaIds(fresh_settings.schema_registry))


@pytest.fixture
def control(fresh_settings: Settings, codec: Codec) -> Iterator[ControlLog]:
    with closing(ControlLog(fresh_settings.kafka, codec)) as control:
        yield control


def append(settings: Settings, codec: Codec, topic: Topic, fact: Fact) -> int:
    """Append a fact; the newest append time of its topic, ms."""
    appender = Appender(KafkaLog(settings.kafka), codec)
    appender.put(topic, KEY, fact)
    appender.finish()
    times = []
    for partition in range(settings.kafka.partitions):
        name = topic.full_name(settings.kafka.topic_prefix)
        with closing(PartitionReader(settings.kafka, name, partition)) as reader:
            times += [record.appended_ms for record in reader.read(*reader.bounds())]
    return max(times)


def version(number: int) -> ModelRegistered:
    return replace(
        example_fact(ModelRegistered), event_id=new_event_id(), version=Version(f"v{number}.0.0")
    )


def versions(control: ControlLog) -> list[str]:
    facts = [record.fact for record in control.records_since(0)]
    return [fact.version for fact in facts if isinstance(fact, ModelRegistered)]


def test_what_was_appended_by_a_time_of_the_log_is_known_then(
    fresh_settings: Settings, codec: Codec, control: ControlLog
) -> None:
    known = []
    for number in (1, 2, 3):
        appended_ms = append(fresh_settings, codec, REGISTRY, version(number))
        control.wait_until_complete(appended_ms)
        known.append(versions(control))

    assert known == [["v1.0.0"], ["v1.0.0", "v2.0.0"], ["v1.0.0", "v2.0.0", "v3.0.0"]]


def test_the_broker_is_not_asked_again_for_times_before_its_newest_measurement(
    fresh_settings: Settings, codec: Codec, control: ControlLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    read_beside = LatestOffsets.read_beside

    def noting(self: LatestOffsets, topic: Topic) -> tuple[dict[tuple[Topic, int], int], int]:
        asked.append(topic)
        return read_beside(self, topic)

    monkeypatch.setattr(LatestOffsets, "read_beside", noting)
    newest_ms = append(
        fresh_settings,
        codec,
        INFERENCE,
        replace(example_fact(InferenceMeasured), extra_names=(), extra_values=()),
    )

    for backlog_ms in range(newest_ms - 60_000, newest_ms - 1_000, 1_000):
        control.wait_until_complete(backlog_ms)
    assert len(asked) == 1

    control.wait_until_complete(newest_ms)
    assert len(asked) == 2
