"""Facts are appended in order, where they belong, and progress is told last."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from modeltrail.processors import patience
from modeltrail.processors.appending import Outgoing
from modeltrail.processors.publishing import Publisher
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.schemas.events import (
    Fact,
    MeasurementSampled,
    OfManySeries,
    TimeMarked,
    WindowsDecided,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Version,
    derived_event_id,
)
from modeltrail.schemas.topics import TOPICS


@dataclass
class Ids:
    """A schema registry that numbers schemas, and is away for some calls."""

    schemas: list[str] = field(default_factory=list)
    failures: int = 0

    def id_of(self, subject: str, schema: str) -> int:
        if self.failures:
            self.failures -= 1
            raise SchemaRegistryUnavailable("away")
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1

    def schema_of(self, schema_id: int) -> str:
        return self.schemas[schema_id - 1]


@dataclass
class Broker:
    """A log that takes records group by group, or refuses a topic."""

    refused: str = ""
    groups: list[list[Outgoing]] = field(default_factory=list)

    def append(self, records: Sequence[Outgoing]) -> int:
        if any(record.topic == self.refused for record in records):
            raise ConnectionError
        self.groups.append([*records])
        return 1000 + len(self.sent)

    @property
    def sent(self) -> list[Outgoing]:
        return [record for group in self.groups for record in group]


def sampled(number: int) -> MeasurementSampled:
    return MeasurementSampled(
        event_id=derived_event_id(number),
        model_id=ModelId("model"),
        node_id=NodeId("node"),
        session_id=SessionId("session"),
        frame=number,
        version=Version("v1.0.0"),
        environment="production",
        arm="",
        captured_at=Micros(1),
        names=(),
        values=(),
    )


def decided(partition: int) -> WindowsDecided:
    return WindowsDecided(EventId(bytes(16)), partition, Micros(1))


def publish(broker: Broker, *facts: Fact, ids: Ids | None = None) -> int:
    publisher = Publisher(Codec(ids or Ids()), "t.", broker.append)
    return asyncio.run(publisher.publish(facts))


def test_a_fact_goes_to_its_topic_under_the_key_of_that_topic() -> None:
    broker = Broker()
    publish(broker, sampled(1))
    (record,) = broker.sent
    assert (record.topic, record.key, record.partition) == ("t.samples", b"model\x1fnode", None)


def test_a_fact_about_a_partition_goes_to_that_partition() -> None:
    broker = Broker()
    publish(broker, decided(3), TimeMarked(EventId(bytes(16)), 2))
    assert [(r.topic, r.key, r.partition) for r in broker.sent] == [
        ("t.windows", None, 3),
        ("t.inference", None, 2),
    ]


def test_what_is_sent_can_be_read() -> None:
    broker, ids = Broker(), Ids()
    publish(broker, sampled(1), ids=ids)
    assert Codec(ids).decode(broker.sent[0].value) == sampled(1)


def test_the_newest_append_time_is_given() -> None:
    assert publish(Broker(), sampled(1), sampled(2), decided(0)) == 1003
    assert publish(Broker()) == 0


def test_progress_is_told_once_all_before_it_is_in_the_log_and_before_all_after_it() -> None:
    broker = Broker()
    publish(broker, sampled(1), sampled(2), decided(0), decided(1), sampled(3))
    assert [[record.topic for record in group] for group in broker.groups] == [
        ["t.samples", "t.samples"],
        ["t.windows", "t.windows"],
        ["t.samples"],
    ]


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for topic in TOPICS
        if topic.owner != "sinks"
        for kind in topic.facts
        if "partition" in kind.__dataclass_fields__
    ],
    ids=lambda kind: kind.record,
)
def test_what_names_its_partition_is_of_many_series_or_waits_for_what_came_before(
    kind: type[Fact],
) -> None:
    """A new fact about progress that did not wait would be told before what it is about."""
    broker = Broker()
    publish(broker, sampled(1), example_fact(kind), sampled(2))
    assert len(broker.groups) == (1 if issubclass(kind, OfManySeries) else 3)
    assert broker.sent[1].key is None
    assert broker.sent[1].partition is not None


def test_of_many_facts_or_large_ones_only_some_are_on_their_way_at_once() -> None:
    broker = Broker()
    publish(broker, *map(sampled, range(600)))
    large = replace(sampled(0), names=("name" * 100_000,), values=(0.0,))
    publish(broker, *[large] * 7)
    assert [len(group) for group in broker.groups] == [256, 256, 88, 3, 3, 1]


def test_progress_is_not_told_of_what_was_refused() -> None:
    broker = Broker(refused="t.samples")
    with pytest.raises(ConnectionError):
        publish(broker, sampled(1), decided(0))
    assert broker.sent == []


def test_a_schema_registry_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.0)
    broker = Broker()
    publish(broker, sampled(1), ids=Ids(failures=2))
    assert [record.topic for record in broker.sent] == ["t.samples"]
