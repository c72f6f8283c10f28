"""A node follows its routing with real models, swaps between frames, and says what it does."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import ArtifactStoreUnavailable, NothingServed
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.monitoring.runtime import open_session
from modeltrail.producers.registry.artifacts import ArtifactStore, open_artifact_store
from modeltrail.producers.serving import loading
from modeltrail.producers.serving.node import ServingNode
from modeltrail.producers.serving.session import ServedSession
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    Fact,
    InferenceMeasured,
    LoadOutcome,
    NodeLoadedModel,
    NodeReported,
    NodeStarted,
    NodeStopped,
    RoutedArm,
    RoutingSet,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, new_event_id
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE, bucket_of
from modeltrail.schemas.topics import INFERENCE, NODES, ROUTING, Topic, key_of
from tests.tiny_models import scaling_model
from tests.waiting import eventually

MODEL = "scaler"
SALT = "0f" * 16
FEEDS = {"x": np.array([1.0, 2.0], np.float32)}
FactsIn = Callable[[Topic], list[Fact]]


class Fleet:
    """Stored models, and whoever routes them."""

    def __init__(
        self, settings: Settings, log: MemoryLog, ids: MemorySchemaIds, folder: Path
    ) -> None:
        self.settings = settings
        self.log = log
        self.ids = ids
        self.store = open_artifact_store(settings)
        self._folder = folder
        self._revision = 0

    def arm(self, name: str, share: int, factor: int, content: bytes | None = None) -> RoutedArm:
        content = content or scaling_model(factor)
        path = self._folder / f"{factor}.onnx"
        path.write_bytes(content)
        stored = self.store.put(path)
        version = Version(f"v{factor}.0.0")
        return RoutedArm(
            *(name, version, stored.sha256, stored.uri, stored.size, ("queue_depth",), share)
        )

    def route(self, *arms: RoutedArm, environment: str = "production") -> None:
        self._revision += 1
        fact = RoutingSet(
            *(new_event_id(), Micros(1), environment, ModelId(MODEL), self._revision, SALT, arms)
        )
        self.log.append(ROUTING, key_of(environment, MODEL), Codec(self.ids).encode(fact))

    def node(self, **options: Any) -> ServingNode:
        return ServingNode(
            self.settings, node_id="gate-1", log=self.log, schema_ids=self.ids, **options
        )


@pytest.fixture
def settings(settings: Settings) -> Settings:
    serving = replace(settings.serving, heartbeat_s=0.1, longest_backoff_s=0.1)
    return replace(settings, serving=serving)


@pytest.fixture
def fleet(settings: Settings, log: MemoryLog, ids: MemorySchemaIds, tmp_path: Path) -> Fleet:
    return Fleet(settings, log, ids, tmp_path)


@pytest.fixture
def node(fleet: Fleet) -> Iterator[ServingNode]:
    with fleet.node() as node:
        yield node


def factor_of(session: ServedSession) -> float:
    """Which model ran: what it makes of 1."""
    [result] = session.run(None, FEEDS)
    return float(result[0])


def kinds(facts: list[Fact], kind: type[Any]) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_starting_node_serves_what_is_routed_already(fleet: Fleet, facts_in: FactsIn) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    fleet.route(fleet.arm(CHAMPION, WHOLE, 3))
    fleet.route(fleet.arm(CHAMPION, WHOLE, 7), environment="staging")
    with fleet.node() as node:
        node.wait_until_served(MODEL)
        with node.session(MODEL, "morning") as session:
            assert factor_of(session) == 3
            assert session.arm.version == "v3.0.0"
            assert session.get_inputs()[0].shape == [2]
        eventually(lambda: kinds(facts_in(NODES), NodeReported)[-1].serves)
    # and it said so, from its start to its end
    facts = facts_in(NODES)
    assert isinstance(facts[0], NodeStarted)
    assert isinstance(facts[-1], NodeStopped)
    [loaded] = [fact for fact in kinds(facts, NodeLoadedModel) if fact.version == "v3.0.0"]
    assert (loaded.outcome, loaded.execution_provider) == (
        LoadOutcome.LOADED, "CPUExecutionProvider",
    )  # fmt: skip
    assert loaded.load_ms > 0
    served = kinds(facts, NodeReported)[-1].serves
    assert [(each.version, each.revision) for each in served] == [("v3.0.0", 2)]
    [measured] = kinds(facts_in(INFERENCE), InferenceMeasured)
    assert (measured.session_id, measured.version, measured.arm) == (
        "morning", "v3.0.0", CHAMPION,
    )  # fmt: skip
    assert (measured.node_id, measured.environment) == ("gate-1", "production")
    assert measured.artifact_sha256 == hashlib.sha256(scaling_model(3)).digest()


def test_sessions_get_the_arm_of_their_bucket_and_keep_it(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn
) -> None:
    fleet.route(fleet.arm(CANDIDATE, 5000, 3), fleet.arm(CHAMPION, 5000, 2))
    node.wait_until_served(MODEL)
    for number in range(40):
        with node.session(MODEL, f"clip {number}") as session:
            candidate = bucket_of(SALT, f"clip {number}") < 5000
            assert [factor_of(session) for _ in range(3)] == [3 if candidate else 2] * 3
    node.close()
    measured = kinds(facts_in(INFERENCE), InferenceMeasured)
    assert len(measured) == 120
    assert {(each.arm, each.version) for each in measured} == {
        (CHAMPION, "v2.0.0"), (CANDIDATE, "v3.0.0"),
    }  # fmt: skip
    assert {each.session_id for each in measured if each.arm == CANDIDATE} == {
        f"clip {number}" for number in range(40) if bucket_of(SALT, f"clip {number}") < 5000
    }


def test_a_frame_ends_on_the_model_that_it_began_with_and_the_next_has_the_new_one(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    session = node.session(MODEL, "morning")
    with session.frame() as frame:
        # when the routing changes while a frame is on its way
        fleet.route(fleet.arm(CHAMPION, WHOLE, 3))
        eventually(lambda: [arm.version for arm in node.served_arms()] == ["v3.0.0"])
        assert frame.run(None, FEEDS)[0][0] == 2
    assert factor_of(session) == 3
    session.close()
    node.close()
    measured = kinds(facts_in(INFERENCE), InferenceMeasured)
    assert [(each.frame, each.version) for each in measured] == [(0, "v2.0.0"), (1, "v3.0.0")]
    assert measured[1].dropped_frames == 0


def test_no_frame_is_lost_while_models_are_swapped_under_load(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    stop = threading.Event()
    ran: dict[str, list[float]] = {}

    def record(name: str) -> None:
        with node.session(MODEL, name) as session:
            while not stop.is_set():
                ran[name].append(factor_of(session))

    for name in ("a", "b"):
        ran[name] = []
    threads = [threading.Thread(target=record, args=(name,)) for name in ran]
    for thread in threads:
        thread.start()

    def all_run(factor: int) -> bool:
        return all(each and each[-1] == factor for each in ran.values())

    for factor in (3, 4, 5, 6):
        fleet.route(fleet.arm(CHAMPION, WHOLE, factor))
        eventually(partial(all_run, factor))
    stop.set()
    for thread in threads:
        thread.join()
    node.close()
    # then every frame ran on the one model or the other, in order, and was measured as that
    for name, factors in ran.items():
        assert factors == sorted(factors)
        measured = [
            fact
            for fact in kinds(facts_in(INFERENCE), InferenceMeasured)
            if fact.session_id == name
        ]
        measured.sort(key=lambda fact: int(fact.frame))
        assert [fact.version for fact in measured] == [f"v{factor:.0f}.0.0" for factor in factors]


@pytest.mark.parametrize(
    ("damage", "outcome"),
    [
        ("missing", LoadOutcome.FETCH_FAILED),
        ("changed", LoadOutcome.HASH_MISMATCH),
        ("broken", LoadOutcome.LOAD_FAILED),
    ],
)
def test_a_model_that_does_not_come_verify_or_load_leaves_the_old_one_in_place(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn, damage: str, outcome: LoadOutcome
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    content = b"not a model" if damage == "broken" else scaling_model(3)
    bad = fleet.arm(CHAMPION, WHOLE, 3, content)
    stored = fleet.store.fetch(bad.artifact_sha256, bad.artifact_uri)
    if damage == "missing":
        stored.unlink()
    elif damage == "changed":
        stored.write_bytes(content + b"\0")

    fleet.route(bad)

    eventually(lambda: node.failing() == (f"{MODEL} v3.0.0",))
    session = node.session(MODEL, "morning")
    assert factor_of(session) == 2
    [said] = [fact for fact in kinds(facts_in(NODES), NodeLoadedModel) if fact.version == "v3.0.0"]
    assert (said.outcome, said.execution_provider) == (outcome, "")
    assert said.detail
    eventually(lambda: kinds(facts_in(NODES), NodeReported)[-1].failing == (f"{MODEL} v3.0.0",))
    report = kinds(facts_in(NODES), NodeReported)[-1]
    # and whether that may pass by itself
    assert report.transient == (() if damage == "changed" else report.failing)
    if damage != "broken":
        # and once the artifact is restored it comes by itself
        stored.write_bytes(content)
        eventually(lambda: factor_of(session) == 3)
        assert node.failing() == ()


def test_a_model_that_finds_no_memory_for_now_is_loaded_once_there_is_some(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a node without room for a second model
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    full = threading.Event()
    full.set()

    def opening(content: bytes, providers: Any, options: Any) -> Any:
        if full.is_set():
            raise MemoryError("no room for it")
        return open_session(content, providers, options)

    monkeypatch.setattr(loading, "open_session", opening)
    fleet.route(fleet.arm(CHAMPION, WHOLE, 3))
    what = f"{MODEL} v3.0.0"
    eventually(
        lambda: any(each.transient == (what,) for each in kinds(facts_in(NODES), NodeReported))
    )
    with node.session(MODEL, "morning") as session:
        assert factor_of(session) == 2
        # when there is room, and no other routing
        full.clear()
        # then it comes by itself
        eventually(lambda: factor_of(session) == 3)
    node.close()
    said = kinds(facts_in(NODES), NodeLoadedModel)
    assert [fact.outcome for fact in said if fact.version == "v3.0.0"] == [
        LoadOutcome.LOAD_FAILED, LoadOutcome.LOADED,
    ]  # fmt: skip


def test_a_model_that_no_arm_needs_is_let_go(fleet: Fleet, node: ServingNode) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    fleet.route(fleet.arm(CHAMPION, WHOLE, 3))
    eventually(lambda: [arm.version for arm in node.served_arms()] == ["v3.0.0"])
    assert len(node._engine._models) == 1
    assert len(node._engine.state.loaded) == 1


def test_while_the_log_is_away_the_node_serves_what_it_has(
    fleet: Fleet, node: ServingNode, log: MemoryLog
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    with node.session(MODEL, "morning") as session:
        log.away = True
        assert factor_of(session) == 2
        log.away = False
        fleet.route(fleet.arm(CHAMPION, WHOLE, 3))
        eventually(lambda: factor_of(session) == 3)


def test_a_node_reports_again_every_heartbeat(
    fleet: Fleet, node: ServingNode, facts_in: FactsIn
) -> None:
    eventually(lambda: len(kinds(facts_in(NODES), NodeReported)) >= 4)
    reports = kinds(facts_in(NODES), NodeReported)
    assert {(each.heartbeat_s, each.serves, each.failing) for each in reports} == {(0.1, (), ())}


def test_without_a_routing_a_frame_is_refused_with_what_to_do(node: ServingNode) -> None:
    session = node.session(MODEL, "morning")
    with pytest.raises(NothingServed, match="hide the whole frame"):
        session.frame()
    with pytest.raises(NothingServed, match="deployments list"):
        node.wait_until_served(MODEL, timeout_s=0.05)


def test_a_store_that_is_busy_at_the_start_is_waited_for(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a store that refuses the first request
    fetch = ArtifactStore.fetch
    refused: list[str] = []

    def busy_once(store: ArtifactStore, sha256: Sha256, uri: str) -> Path:
        if not refused:
            refused.append(uri)
            raise ArtifactStoreUnavailable("503 SlowDown")
        return fetch(store, sha256, uri)

    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    monkeypatch.setattr(ArtifactStore, "fetch", busy_once)
    with fleet.node() as node:
        # when the node waits as the README's does
        node.wait_until_served(MODEL)
        # then it serves
        assert [arm.version for arm in node.served_arms()] == ["v2.0.0"]
    assert refused


def test_other_bytes_in_the_store_are_reported_by_whoever_waits(
    fleet: Fleet, node: ServingNode
) -> None:
    arm = fleet.arm(CHAMPION, WHOLE, 2)
    fleet.store.fetch(arm.artifact_sha256, arm.artifact_uri).write_bytes(b"other")
    fleet.route(arm)

    with pytest.raises(NothingServed, match="not the registered"):
        node.wait_until_served(MODEL)


class Shapeless(np.ndarray[Any, Any]):
    """An array that ONNX Runtime takes and that does not tell its shape to Python."""

    def __getattribute__(self, name: str) -> Any:
        if name == "shape":
            raise RuntimeError("ask ONNX Runtime")
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("feed", "noted"),
    [
        (onnxruntime.OrtValue.ortvalue_from_numpy(FEEDS["x"]), {"x": (2,)}),
        (FEEDS["x"], {"x": (2,)}),
        (FEEDS["x"].view(Shapeless), {}),
    ],
)
def test_the_first_frame_of_a_model_gives_its_outputs_whatever_it_is_fed_with(
    fleet: Fleet, node: ServingNode, feed: Any, noted: dict[str, tuple[int, ...]]
) -> None:
    session = node.session(MODEL, "morning")

    def serves(version: str) -> bool:
        return [arm.version for arm in node.served_arms()] == [version]

    for factor in (2, 3):
        fleet.route(fleet.arm(CHAMPION, WHOLE, factor))
        eventually(partial(serves, f"v{factor}.0.0"))

        assert session.run(None, {"x": feed})[0].tolist() == [factor, 2 * factor]
        assert node._engine.slot(ModelId(MODEL)).fed == noted


def test_when_the_last_arm_is_withdrawn_frames_are_refused(fleet: Fleet, node: ServingNode) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    node.wait_until_served(MODEL)
    session = node.session(MODEL, "morning")
    assert factor_of(session) == 2
    fleet.route()
    eventually(lambda: node.served_arms() == ())
    with pytest.raises(NothingServed):
        session.frame()
    assert node._engine.state.loaded == frozenset()


def test_a_node_may_serve_only_some_of_the_models_and_names_them(
    fleet: Fleet, facts_in: FactsIn
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2))
    with fleet.node(models=["other", "another"]) as node:
        assert node._follower.caught_up.wait(10)
        assert node.served_arms() == ()
        eventually(lambda: kinds(facts_in(NODES), NodeReported))
    assert kinds(facts_in(NODES), NodeReported)[-1].follows == ("another", "other")


@pytest.mark.parametrize("models", [[], [""]])
def test_a_node_that_would_serve_no_model_is_refused(fleet: Fleet, models: list[str]) -> None:
    with pytest.raises(InvalidFact, match="give"):
        fleet.node(models=models)


def test_a_symbolic_shape_is_not_warmed_up_and_still_served(
    fleet: Fleet, node: ServingNode
) -> None:
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2, scaling_model(2, ("n", "width"))))
    node.wait_until_served(MODEL)
    with node.session(MODEL) as session:
        [result] = session.run(None, {"x": np.ones((1, 3), np.float32)})
        assert result.tolist() == [[2, 2, 2]]


def test_a_symbolic_shape_is_warmed_up_with_what_the_version_before_is_fed_with(
    fleet: Fleet, node: ServingNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given sessions that feed a model of any width
    opened: list[RecordingSession] = []

    def recording(content: bytes, providers: Any, options: Any) -> "RecordingSession":
        opened.append(RecordingSession(open_session(content, providers, options)))
        return opened[-1]

    monkeypatch.setattr(loading, "open_session", recording)
    fleet.route(fleet.arm(CHAMPION, WHOLE, 2, scaling_model(2, ("n", "width"))))
    node.wait_until_served(MODEL)
    with node.session(MODEL) as session:
        session.run(None, {"x": np.ones((1, 3), np.float32)})
        # when the next version comes
        fleet.route(fleet.arm(CHAMPION, WHOLE, 3, scaling_model(3, ("n", "width"))))
        eventually(lambda: [arm.version for arm in node.served_arms()] == ["v3.0.0"])
        # then it has run with that width before any frame of it
        assert [each.shapes for each in opened] == [[(1, 3)], [(1, 3)]]
        # and one that only takes others is served all the same
        fleet.route(fleet.arm(CHAMPION, WHOLE, 4, scaling_model(4, ("n", "width", "depth"))))
        eventually(lambda: [arm.version for arm in node.served_arms()] == ["v4.0.0"])
        assert opened[-1].shapes == []


class RecordingSession:
    """An ONNX Runtime session that notes with which shapes it was run."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.shapes: list[tuple[int, ...]] = []

    def run(self, names: Any, feeds: Any, options: Any = None) -> Any:
        self.shapes.append(feeds["x"].shape)
        return self._session.run(names, feeds, options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def test_an_unknown_digest_is_never_served(fleet: Fleet, node: ServingNode) -> None:
    arm = replace(fleet.arm(CHAMPION, WHOLE, 2), artifact_sha256=Sha256(bytes(32)))
    fleet.route(arm)
    eventually(lambda: node.failing() == (f"{MODEL} v2.0.0",))
    assert node.served_arms() == ()


def test_a_change_is_reported_at_once_and_not_with_the_next_heartbeat(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds, tmp_path: Path, facts_in: FactsIn
) -> None:
    # Given a node whose next heartbeat is far away
    serving = replace(settings.serving, heartbeat_s=600.0)
    fleet = Fleet(replace(settings, serving=serving), log, ids, tmp_path)

    def reported(version: str) -> bool:
        reports = kinds(facts_in(NODES), NodeReported)
        return bool(reports) and [arm.version for arm in reports[-1].serves] == [version]

    with fleet.node():
        for factor in (2, 3):
            # When another model is routed to it
            fleet.route(fleet.arm(CHAMPION, WHOLE, factor))
            # Then it tells of it as soon as what it said before was taken
            eventually(partial(reported, f"v{factor}.0.0"))
