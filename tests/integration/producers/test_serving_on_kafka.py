"""Nodes on the real Kafka: a routing reaches all of them, and frames go on meanwhile."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.masker.light import Conditions
from modeltrail.producers.masker.serving_node import Plan, run_node
from modeltrail.producers.masker.variants import with_fixed_input_size
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.serving.node import ServingNode
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    BenchmarkMeasured,
    BenchmarkRequested,
    Fact,
    InferenceMeasured,
    NodeReported,
    NodeStarted,
    NodeStopped,
    RoutedArm,
    RoutingSet,
)
from modeltrail.schemas.ids import Micros, ModelId, NodeId, Version, new_event_id
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE
from modeltrail.schemas.topics import DEPLOYMENTS, INFERENCE, NODES, ROUTING, WORK, Topic, key_of
from tests.tiny_models import scaling_model
from tests.waiting import eventually

MODEL = "scaler"
NODES_AT_ONCE = 20
ENOUGH_FRAMES = 100
FEEDS = {"x": np.array([1.0, 2.0], np.float32)}


class Router:
    """Stores models and routes all sessions to one of them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._store = open_artifact_store(settings)
        self._codec = Codec(ConfluentSchemaIds(settings.schema_registry))
        self._producer = make_producer(settings.kafka)
        self._topic = ROUTING.full_name(settings.kafka.topic_prefix)
        self._folder = folder
        self._revision = 0

    def route(self, factor: int) -> None:
        """Route everything to the model y = factor x."""
        self.route_all(MODEL, [(CHAMPION, f"v{factor}.0.0", scaling_model(factor))])

    def route_all(self, model_id: str, arms: Sequence[tuple[str, str, bytes]]) -> None:
        """Route equal shares to arms of these names, versions and bytes; Kafka has it then."""
        routed = []
        for arm, version, content in arms:
            path = self._folder / f"{version}.onnx"
            path.write_bytes(content)
            stored = self._store.put(path)
            file = (stored.sha256, stored.uri, stored.size)
            routed.append(RoutedArm(arm, Version(version), *file, (), WHOLE // len(arms)))
        self._revision += 1
        fact = RoutingSet(
            event_id=new_event_id(),
            occurred_at=Micros(time.time_ns() // 1000),
            environment="production",
            model_id=ModelId(model_id),
            revision=self._revision,
            salt="salt",
            arms=tuple(routed),
        )
        key = key_of("production", model_id)
        self._producer.produce(self._topic, self._codec.encode(fact), key)
        assert self._producer.flush(30) == 0


@pytest.fixture
def router(fresh_settings: Settings, tmp_path: Path) -> Router:
    return Router(fresh_settings, tmp_path)


@pytest.fixture
def unhurried(fresh_settings: Settings) -> Settings:
    """With time to hand over every measurement at the end, however busy the machine is."""
    monitoring = replace(fresh_settings.monitoring, flush_timeout_s=30.0)
    return replace(fresh_settings, monitoring=monitoring)


@pytest.fixture
def nodes(unhurried: Settings, router: Router) -> Iterator[list[ServingNode]]:
    router.route(2)
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(ServingNode(unhurried, node_id=f"gate-{number}"))
            for number in range(NODES_AT_ONCE)
        ]
        for node in nodes:
            node.wait_until_served(MODEL, timeout_s=300.0)
        yield nodes


def test_a_routing_reaches_twenty_nodes_and_no_frame_is_lost(
    nodes: list[ServingNode], router: Router, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    sessions = [node.session(MODEL, f"{node.node_id} morning") for node in nodes]
    frames = 0
    for factor in (3, 4, 5):
        router.route(factor)
        waiting = set(range(len(sessions)))
        while waiting:
            for number, session in enumerate(sessions):
                if session.run(None, FEEDS)[0][0] == factor:
                    waiting.discard(number)
            frames += 1
            # The pace of the cameras.
            time.sleep(0.005)

    # then every node says in the log what it serves
    def reported() -> bool:
        newest = {fact.node_id: fact for fact in facts_in(NODES) if isinstance(fact, NodeReported)}
        return len(newest) == NODES_AT_ONCE and all(
            [arm.version for arm in fact.serves] == ["v5.0.0"] for fact in newest.values()
        )

    eventually(reported)
    # and every frame was measured, under the model that ran it
    for node in nodes:
        node.close()
    measured = [fact for fact in facts_in(INFERENCE) if isinstance(fact, InferenceMeasured)]
    assert len(measured) == frames * NODES_AT_ONCE
    for session in sessions:
        versions = [
            each.version
            for each in sorted(measured, key=lambda fact: int(fact.frame))
            if each.session_id == session.session_id
        ]
        assert versions == sorted(versions)
        assert versions[-1] == "v5.0.0"


def test_a_node_that_was_told_to_answers_the_benchmarks_that_it_is_asked_for(
    fresh_settings: Settings, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    codec = Codec(ConfluentSchemaIds(fresh_settings.schema_registry))
    producer = make_producer(fresh_settings.kafka)
    requests = [
        BenchmarkRequested(
            *(new_event_id(), Micros(time.time_ns() // 1000), new_event_id(), ModelId(MODEL)),
            *(Version("v1.0.0"), "{}", None, node),
        )
        for node in (NodeId("gate-1"), NodeId("gate-2"))
    ]
    for request in requests:
        topic = WORK.full_name(fresh_settings.kafka.topic_prefix)
        producer.produce(topic, codec.encode(request), key_of(MODEL))
    assert producer.flush(30) == 0
    with ServingNode(fresh_settings, node_id="gate-1", benchmarks=True):
        eventually(lambda: facts_in(DEPLOYMENTS))
    # the version is not registered, which is an answer too
    [answer] = facts_in(DEPLOYMENTS)
    assert isinstance(answer, BenchmarkMeasured)
    assert (answer.request_id, answer.node_id) == (requests[0].event_id, "gate-1")
    assert "not registered" in json.loads(answer.evidence_json)["failure"]


def test_the_maskers_node_masks_clips_on_both_arms_of_real_detectors(
    unhurried: Settings, router: Router, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    def measurements() -> list[InferenceMeasured]:
        return [fact for fact in facts_in(INFERENCE) if isinstance(fact, InferenceMeasured)]

    # given the detector at two sizes, half of the sessions each
    free = with_free_input_size(pinned_model())
    small, large = (with_fixed_input_size(free, size) for size in ((160, 128), (320, 256)))
    router.route_all("centerface", [(CANDIDATE, "v2.0.0", large), (CHAMPION, "v1.0.0", small)])
    # and a node that masks many clips on each: some have faces too small for one of the two
    plan = Plan("centerface", Conditions(3600.0, (64, 64)), clip_frames=5, at_once=2)
    stop = threading.Event()

    def has_many_of_both() -> bool:
        found = measurements()
        frames = Counter(fact.version for fact in found)
        clips = {fact.session_id for fact in found}
        return len(clips) > 8 and len(frames) == 2 and min(frames.values()) >= ENOUGH_FRAMES

    with ThreadPoolExecutor(1) as pool:
        node = pool.submit(run_node, unhurried, "gate-1", "production", plan, stop)
        try:
            eventually(lambda: node.done() or has_many_of_both(), poll_s=0.5)
        finally:
            stop.set()
        done = node.result()

    # then each clip is a session of one arm, and its faces were found and hidden
    measured = measurements()
    assert len(measured) == done["sent"] == sum(done["frames"].values())
    arms = {fact.session_id: {each.arm for each in measured if each.session_id == fact.session_id}
            for fact in measured}  # fmt: skip
    assert len(arms) > 8
    assert all(len(found) == 1 for found in arms.values())
    assert {(fact.arm, fact.version) for fact in measured} == {
        (CHAMPION, "v1.0.0"), (CANDIDATE, "v2.0.0"),
    }  # fmt: skip
    assert sum(fact.faces_unmasked or 0 for fact in measured) < 0.2 * len(measured)
    latency = {
        arm: np.median([fact.detect_ms or 0.0 for fact in measured if fact.arm == arm])
        for arm in (CHAMPION, CANDIDATE)
    }
    assert latency[CANDIDATE] > 1.5 * latency[CHAMPION]


def test_the_maskers_node_ends_early_when_it_is_terminated_and_says_what_it_did(
    environment: dict[str, str], facts_in: Callable[[Topic], list[Fact]]
) -> None:
    def said() -> set[type[Fact]]:
        return {type(fact) for fact in facts_in(NODES)}

    # given a node that runs for hours, at work
    command = [sys.executable, "-m", "modeltrail.producers.masker.serving_node"]
    command += ["--node-id", "gate-1", "--model", "centerface", "--seconds", "7200"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as node:
        try:
            eventually(lambda: node.poll() is not None or NodeStarted in said())
            # when it is terminated
            node.terminate()
            told, _ = node.communicate()
        finally:
            node.kill()

    # then it has said goodbye, and its last line tells of what it did
    assert node.returncode == 0
    assert NodeStopped in said()
    done = json.loads(told.splitlines()[-1])
    assert (done["node_id"], done["frames"]) == ("gate-1", {})
