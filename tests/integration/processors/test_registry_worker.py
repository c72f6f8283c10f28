"""The registry worker on real Kafka: versions for the SDK, and none lost or doubled by kill -9."""

import random
import signal
import subprocess
import sys
from functools import partial

import pytest

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, ModelRegistered, ModelRegistrationRequested
from modeltrail.schemas.ids import Micros, ModelId, Sha256, derived_event_id
from modeltrail.schemas.topics import REGISTRY, key_of
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker
from tests.waiting import eventually

MODELS = 3
# After its longest stop a worker gives up and says so, which a slow machine alone may bring about.
STOPS_IN_ITS_OWN_TIME = """
from modeltrail.infra.cli import main
from modeltrail.processors.serving import serve

serve.__defaults__ = (300.0,)
main()
"""


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
    name = REGISTRY.full_name(settings.kafka.topic_prefix)
    asked = map(request, numbers)
    records = [(key_of(each.model_id), codec.encode(each)) for each in asked]
    AcknowledgedProducer(settings.kafka).append(name, records)


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
    worker = subprocess.Popen(
        [sys.executable, "-c", STOPS_IN_ITS_OWN_TIME, "worker", "processors"],
        env=worker_environment(fresh_settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.terminate()
        assert worker.wait(timeout=300) == 0
    finally:
        worker.kill()
        worker.communicate(timeout=60)
