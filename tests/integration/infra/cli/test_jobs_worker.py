"""The jobs worker on real Kafka: answers with real models, each request once, also when killed."""

import json
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.benchmarking.answering import answer_benchmarks
from modeltrail.producers.masker.centerface import INPUT, pinned_model, with_free_input_size
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.deployment_policy import (
    PerformancePolicy,
    ValidationPolicy,
    settings_json,
)
from modeltrail.schemas.events import (
    BenchmarkMeasured,
    BenchmarkRequested,
    Fact,
    ModelRegistered,
    ModelValidated,
    ValidationRequested,
)
from modeltrail.schemas.ids import Micros, ModelId, NodeId, Version, derived_event_id
from modeltrail.schemas.topics import DEPLOYMENTS, REGISTRY, WORK, Topic, key_of
from tests import model_files
from tests.integration.workers import running_worker
from tests.waiting import eventually

MODEL = ModelId("centerface")
SHAPES: dict[str, tuple[int, ...]] = {INPUT: (1, 3, 64, 96)}


@dataclass(frozen=True, slots=True)
class World:
    """Models in the registry, requests into the log, answers out of it."""

    settings: Settings
    codec: Codec
    folder: Path

    def append(self, topic: Topic, fact: Fact) -> None:
        producer = make_producer(self.settings.kafka)
        name = topic.full_name(self.settings.kafka.topic_prefix)
        producer.produce(name, key=key_of(MODEL), value=self.codec.encode(fact))
        assert producer.flush(30) == 0

    def register(self, version: str, content: bytes) -> ModelRegistered:
        file = self.folder / version
        file.write_bytes(content)
        artifact, signature = open_artifact_store(self.settings).put_model(file)
        fact = ModelRegistered(
            event_id=derived_event_id("registered", version),
            occurred_at=Micros(1),
            request_id=derived_event_id("asked", version),
            model_id=MODEL,
            version=Version(version),
            artifact_uri=artifact.uri,
            artifact_sha256=artifact.sha256,
            artifact_size=artifact.size,
            metadata_json="{}",
            tensors=signature.tensors,
            opsets=signature.opsets,
        )
        self.append(REGISTRY, fact)
        return fact

    def ask_validation(self, model: ModelRegistered, policy: ValidationPolicy) -> Fact:
        asked = ValidationRequested(
            event_id=derived_event_id("validate", model.version),
            occurred_at=Micros(2),
            deployment_id=derived_event_id("deployment", model.version),
            model_id=MODEL,
            version=model.version,
            artifact_sha256=model.artifact_sha256,
            settings_json=settings_json(policy),
        )
        self.append(WORK, asked)
        return asked

    def ask_benchmark(self, version: str, baseline: str, node_id: str | None = None) -> Fact:
        policy = PerformancePolicy(runs=20, shapes=SHAPES)
        asked = BenchmarkRequested(
            event_id=derived_event_id("benchmark", version, node_id or ""),
            occurred_at=Micros(2),
            deployment_id=derived_event_id("deployment", version),
            model_id=MODEL,
            version=Version(version),
            settings_json=settings_json(policy),
            baseline_version=Version(baseline),
            node_id=None if node_id is None else NodeId(node_id),
        )
        self.append(WORK, asked)
        return asked

    def answers_to(self, request: Fact) -> list[Any]:
        name = DEPLOYMENTS.full_name(self.settings.kafka.topic_prefix)
        found = [
            self.codec.decode(value)
            for partition in range(self.settings.kafka.partitions)
            for value in read_partition(self.settings.kafka, name, partition)
            if value
        ]
        return [fact for fact in found if getattr(fact, "request_id", None) == request.event_id]


@pytest.fixture
def world(fresh_settings: Settings, tmp_path: Path) -> World:
    return World(
        fresh_settings, Codec(ConfluentSchemaIds(fresh_settings.schema_registry)), tmp_path
    )


def outcomes(answer: ModelValidated) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in json.loads(answer.evidence_json)["checks"]}


def children_of(pid: int) -> list[int]:
    """The confined processes of a worker: its threads start them."""
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task"):
        # A thread may have ended since they were listed.
        with suppress(FileNotFoundError):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text()
            found += map(int, text.split())
    return found


def first_child_of(pid: int) -> int:
    """The only confined process of a worker, as soon as there is one."""
    found: list[int] = []

    def has_one() -> bool:
        found[:] = children_of(pid)
        return bool(found)

    eventually(has_one)
    [child] = found
    return child


def test_it_validates_and_measures_a_real_model(world: World) -> None:
    # given two versions of a real detector, requests made while nobody worked, and one to a node
    model = world.register("v2.0.0", with_free_input_size(pinned_model()))
    world.register("v1.0.0", pinned_model())
    validation = world.ask_validation(model, ValidationPolicy(shapes=SHAPES))
    benchmark = world.ask_benchmark("v2.0.0", "v2.0.0")
    to_a_node = world.ask_benchmark("v2.0.0", "v1.0.0", node_id="gate-1")

    with running_worker(world.settings, "jobs") as worker:
        eventually(lambda: world.answers_to(benchmark))
        worker.terminate()
        assert worker.wait() == 0

    # then both are answered, once, with all that was found
    [validated] = world.answers_to(validation)
    assert isinstance(validated, ModelValidated)
    assert {name for name, outcome in outcomes(validated).items() if outcome != "PASSED"} == {
        "golden"
    }
    [measured] = world.answers_to(benchmark)
    assert isinstance(measured, BenchmarkMeasured)
    evidence = json.loads(measured.evidence_json)
    assert (evidence["failure"], measured.node_id) == ("", "")
    [batch] = evidence["batches"]
    assert len(batch["candidate_ms"]) == len(batch["baseline_ms"]) == 20
    # and the node's is left to the node
    assert world.answers_to(to_a_node) == []


def test_a_node_answers_what_it_is_asked(world: World) -> None:
    world.register("v1.0.0", pinned_model())
    world.register("v2.0.0", with_free_input_size(pinned_model()))
    to_nobody = world.ask_benchmark("v2.0.0", "v1.0.0")
    to_another = world.ask_benchmark("v2.0.0", "v1.0.0", node_id="gate-2")
    asked = world.ask_benchmark("v2.0.0", "v1.0.0", node_id="gate-1")
    stop = threading.Event()
    node = threading.Thread(target=answer_benchmarks, args=(world.settings, NodeId("gate-1"), stop))
    node.start()
    try:
        eventually(lambda: world.answers_to(asked))
    finally:
        stop.set()
        eventually(lambda: not node.is_alive())

    [measured] = world.answers_to(asked)
    evidence = json.loads(measured.evidence_json)
    assert (evidence["failure"], measured.node_id) == ("", "gate-1")
    # each version at its own size
    [batch] = evidence["batches"]
    assert batch["shapes"] == {INPUT: [1, 3, 64, 96]}
    assert batch["baseline_shapes"] == {INPUT: [10, 3, 32, 32]}
    assert world.answers_to(to_nobody) == world.answers_to(to_another) == []


def test_a_worker_that_is_killed_answers_once_and_goes_on_after_hostile_models(
    world: World,
) -> None:
    # given a model that never ends, under a limit that strikes soon, and one behind it
    strict = ValidationPolicy(cpu_s=4.0, wall_s=60.0, memory_mb=512)
    endless = world.ask_validation(world.register("v1.0.0", model_files.endless_loop()), strict)
    honest = world.ask_validation(
        world.register("v2.0.0", model_files.honest()), ValidationPolicy()
    )
    with running_worker(world.settings, "jobs") as worker:
        # when it is killed in the middle of a validation
        confined = first_child_of(worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        # then the validation ends with it
        eventually(lambda: not _runs(confined))
        assert world.answers_to(endless) == []

    # and the next worker answers it, and the one behind it
    with running_worker(world.settings, "jobs"):
        eventually(lambda: world.answers_to(honest))
    [verdict] = world.answers_to(endless)
    assert outcomes(verdict)["limits"] == "FAILED"
    [verdict] = world.answers_to(honest)
    assert "FAILED" not in outcomes(verdict).values()


def test_a_request_whose_answer_is_in_the_log_is_not_done_again(world: World) -> None:
    # given an answer, but no committed offset: the worker died in between
    model = world.register("v1.0.0", model_files.honest())
    answered = world.ask_validation(model, ValidationPolicy())
    world.append(
        DEPLOYMENTS,
        ModelValidated(
            event_id=derived_event_id("answer"),
            occurred_at=Micros(3),
            request_id=answered.event_id,
            deployment_id=derived_event_id("deployment"),
            model_id=MODEL,
            version=model.version,
            worker="the one before",
            evidence_json="{}",
        ),
    )
    later = world.ask_validation(
        world.register("v2.0.0", model_files.honest(factor=3.0)), ValidationPolicy()
    )
    with running_worker(world.settings, "jobs"):
        eventually(lambda: world.answers_to(later))

    [answer] = world.answers_to(answered)
    assert answer.worker == "the one before"


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
