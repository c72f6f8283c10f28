"""The registry worker on real Kafka: versions for the SDK, and none lost or doubled by kill -9."""

import random
import signal
from functools import partial

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, ModelRegistered, ModelRegistrationRequested
from modeltrail.schemas.ids import Micros, ModelId, Sha256, derived_event_id
from modeltrail.schemas.topics import REGISTRY, key_of
from tests.integration.workers import running_worker
from tests.waiting import eventually

MODELS = 3


def facts(settings: Settings, codec: Codec) -> list[Fact]:
    name = REGISTRY.full_name(settings.kafka.topic_prefix)
    return [
        codec.decode(value)
        for partition in range(settings.kafka.partitions)
        for value in read_partition(settings.kafka, name, partition)
        if value
    ]


def request(number: int) -> ModelRegistrationRequested:
    return ModelRegistrationRequested(
        event_id=derived_event_id("request", number),
        occurred_at=Micros(number),
        model_id=ModelId(f"model-{number % MODELS}"),
        artifact_uri="file:///a",
        artifact_sha256=Sha256(derived_event_id("artifact", number) * 2),
        artifact_size=1,
        metadata_json="{}",
    )


def append_requests(settings: Settings, codec: Codec, numbers: range) -> None:
    producer = make_producer(settings.kafka)
    name = REGISTRY.full_name(settings.kafka.topic_prefix)
    for number in numbers:
        asked = request(number)
        producer.produce(name, key=key_of(asked.model_id), value=codec.encode(asked))
    assert producer.flush(30) == 0


@pytest.mark.parametrize("seed", [1])
def test_no_version_is_lost_doubled_or_skipped_when_the_worker_is_killed(
    fresh_settings: Settings, seed: int
) -> None:
    _kill_while_it_answers(fresh_settings, seed, rounds=2)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(5))
def test_no_version_is_lost_in_many_kills(fresh_settings: Settings, seed: int) -> None:
    _kill_while_it_answers(fresh_settings, seed, rounds=6)


def _kill_while_it_answers(settings: Settings, seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    per_round = 150
    for number in range(rounds):
        asked = range(number * per_round, (number + 1) * per_round)
        with running_worker(settings, "processors") as worker:
            append_requests(settings, codec, asked)
            answers = asked.start + chance.randrange(1, per_round)
            eventually(partial(has_registered, settings, codec, answers))
            worker.send_signal(signal.SIGKILL)
    total = rounds * per_round
    with running_worker(settings, "processors"):
        eventually(partial(has_registered, settings, codec, total))

    by_id = {fact.event_id: fact for fact in facts(settings, codec)}
    given = [fact for fact in by_id.values() if isinstance(fact, ModelRegistered)]
    assert {fact.request_id for fact in given} == {request(n).event_id for n in range(total)}
    for model in range(MODELS):
        versions = {fact.version for fact in given if fact.model_id == f"model-{model}"}
        assert versions == {f"v{number + 1}.0.0" for number in range(total // MODELS)}


def has_registered(settings: Settings, codec: Codec, wanted: int) -> bool:
    known = {f.event_id for f in facts(settings, codec) if isinstance(f, ModelRegistered)}
    return len(known) >= wanted


def test_the_worker_stops_cleanly_when_it_is_told_to(fresh_settings: Settings) -> None:
    with running_worker(fresh_settings, "processors") as worker:
        worker.terminate()
        assert worker.wait(timeout=30) == 0
