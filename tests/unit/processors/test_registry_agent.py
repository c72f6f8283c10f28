"""The registry agent answers before it returns, recovers from the log, and waits for schemas."""

import asyncio
import hashlib
import threading
from dataclasses import dataclass, field

import pytest

from modeltrail.processors import patience
from modeltrail.processors.registry.agent import RegistryAgent
from modeltrail.schemas.catalog import newest_schema
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.schemas.events import (
    AliasRemoved,
    AliasRequested,
    Fact,
    ModelRegistered,
    ModelRegistrationRequested,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id
from modeltrail.schemas.topics import key_of


@dataclass
class ListedIds:
    """A schema registry that numbers schemas as they come, and is away for some calls."""

    schemas: list[str] = field(default_factory=list)
    failures: int = 0

    def id_of(self, subject: str, schema: str) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1

    def schema_of(self, schema_id: int) -> str:
        if self.failures:
            self.failures -= 1
            raise SchemaRegistryUnavailable("away")
        return self.schemas[schema_id - 1]


class Partition:
    """One partition of the registry topic, with the agent that works on it."""

    def __init__(self) -> None:
        self.ids = ListedIds()
        self.codec = Codec(self.ids)
        self.log: list[bytes | None] = []

    async def publish(self, key: bytes, value: bytes) -> None:
        self.log.append(value)

    def new_agent(self) -> RegistryAgent:
        return RegistryAgent(Codec(self.ids), lambda partition: list(self.log), self.publish)

    def append(self, fact: Fact) -> bytes:
        value = self.codec.encode(fact)
        self.log.append(value)
        return value

    def facts(self) -> list[Fact]:
        return [self.codec.decode(value) for value in self.log if value and value[0] == 0]

    def versions(self) -> list[str]:
        return [fact.version for fact in self.facts() if isinstance(fact, ModelRegistered)]


def request(number: int) -> ModelRegistrationRequested:
    return ModelRegistrationRequested(
        event_id=derived_event_id("request", number),
        occurred_at=Micros(number),
        model_id=ModelId("m"),
        artifact_uri="file:///a",
        artifact_sha256=Sha256(hashlib.sha256(bytes([number])).digest()),
        artifact_size=1,
        metadata_json="{}",
    )


def alias(number: int, version: Version | None) -> AliasRequested:
    return AliasRequested(
        event_id=derived_event_id("request", number),
        occurred_at=Micros(number),
        model_id=ModelId("m"),
        alias="champion",
        version=version,
    )


def handle(agent: RegistryAgent, value: bytes | None, generation: int = 1) -> None:
    asyncio.run(agent.handle(0, generation, key_of("m"), value))


def test_a_request_is_answered_in_the_log_when_handling_returns() -> None:
    partition = Partition()
    agent = partition.new_agent()

    handle(agent, partition.append(request(1)))
    handle(agent, partition.append(request(2)))

    assert partition.versions() == ["v1.0.0", "v2.0.0"]


def test_a_new_worker_takes_what_was_answered_from_the_log() -> None:
    partition = Partition()
    first = partition.append(request(1))
    handle(partition.new_agent(), first)
    # when the worker dies before its offset is committed, and the request is delivered again
    second = partition.append(request(2))
    successor = partition.new_agent()
    handle(successor, first)
    handle(successor, second)

    assert partition.versions() == ["v1.0.0", "v2.0.0"]


def test_a_new_worker_knows_the_aliases_that_were_assigned_before() -> None:
    partition = Partition()
    handle(partition.new_agent(), partition.append(request(1)))
    handle(partition.new_agent(), partition.append(alias(2, Version("v1.0.0"))))
    # when another worker is asked to remove one, and the request is delivered twice
    removal = partition.append(alias(3, None))
    successor = partition.new_agent()
    handle(successor, removal)
    handle(successor, removal)

    assert [type(fact) for fact in partition.facts()].count(AliasRemoved) == 1


def test_a_partition_that_comes_back_in_a_later_generation_is_read_again() -> None:
    # given an agent that lost its partition while another one answered
    partition = Partition()
    agent = partition.new_agent()
    handle(agent, partition.append(request(1)), generation=1)
    handle(partition.new_agent(), partition.append(request(2)))
    # when it gets the partition back
    handle(agent, partition.append(request(3)), generation=3)

    assert partition.versions() == ["v1.0.0", "v2.0.0", "v3.0.0"]


def test_bytes_that_are_no_fact_and_tombstones_are_passed_over() -> None:
    partition = Partition()
    partition.log += [b"garbage", None]
    agent = partition.new_agent()

    handle(agent, b"garbage")
    handle(agent, None)
    handle(agent, partition.append(request(1)))

    assert partition.versions() == ["v1.0.0"]


def test_the_agent_waits_while_the_schema_registry_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.0)
    partition = Partition()
    value = partition.append(request(1))
    partition.ids.failures = 3

    handle(partition.new_agent(), value)

    assert partition.versions() == ["v1.0.0"]
    assert partition.ids.failures == 0


def test_a_fault_while_answering_reaches_the_caller_and_the_next_try_answers() -> None:
    partition = Partition()
    agent = partition.new_agent()
    publish = agent.publish

    async def broken(key: bytes, value: bytes) -> object:
        raise OSError("the broker is gone")

    value = partition.append(request(1))
    agent.publish = broken
    with pytest.raises(OSError, match="gone"):
        handle(agent, value)
    agent.publish = publish
    handle(agent, value)

    assert partition.versions() == ["v1.0.0"]


def test_the_schema_of_an_answer_is_the_newest() -> None:
    partition = Partition()
    handle(partition.new_agent(), partition.append(request(1)))
    assert newest_schema(ModelRegistered.record).text in partition.ids.schemas


@dataclass
class SlowIds(ListedIds):
    """A schema registry that answers once the worker has done something else."""

    went_on: threading.Event = field(default_factory=threading.Event)

    def schema_of(self, schema_id: int) -> str:
        assert self.went_on.wait(30), "the worker stood still"
        return super().schema_of(schema_id)


def test_a_schema_registry_that_takes_its_time_holds_up_nothing_else_of_the_worker() -> None:
    partition = Partition()
    value = partition.append(request(1))
    slow = SlowIds(partition.ids.schemas)
    partition.ids = slow
    agent = partition.new_agent()

    async def handle_beside_others() -> None:
        asyncio.get_running_loop().call_later(0.01, slow.went_on.set)
        await agent.handle(0, 1, key_of("m"), value)

    asyncio.run(handle_beside_others())

    assert partition.versions() == ["v1.0.0"]
