"""What the registry and the experiments were told is what their views and searches answer."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    ArtifactLogged,
    Fact,
    MetricsLogged,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRestored,
    ModelTagSet,
    OpsetImport,
    ParamsLogged,
    RunEnded,
    RunHeartbeat,
    RunResumed,
    RunStarted,
    RunStatus,
    RunTagSet,
    Tensor,
)
from modeltrail.schemas.ids import (
    ExperimentId,
    Micros,
    ModelId,
    RunId,
    Sha256,
    Version,
    new_event_id,
)
from modeltrail.schemas.topics import EXPERIMENTS, REGISTRY, Topic
from modeltrail.sinks.queries.metric_history import Curve, metric_history
from modeltrail.sinks.queries.registry_versions import VersionRow, search_versions
from modeltrail.sinks.queries.runs import (
    MetricSummary,
    RunRow,
    runs_by_id,
    search_runs,
    summaries,
)
from tests.integration.sinks.log import Log
from tests.integration.sinks.projectors import running_projector
from tests.waiting import eventually

MODEL = ModelId("centerface")
TYPED_TABLES = ("run_rows", "run_seen_rows", "registry_rows")


def now() -> Micros:
    return Micros(time.time_ns() // 1000)


def registered(version: str, **changes: Any) -> ModelRegistered:
    values: dict[str, Any] = {
        "event_id": new_event_id(),
        "occurred_at": now(),
        "request_id": new_event_id(),
        "model_id": MODEL,
        "version": Version(version),
        "artifact_uri": f"file:///{version}",
        "artifact_sha256": Sha256(version.encode().ljust(32, b"\0")),
        "artifact_size": 7,
        "metadata_json": '{"licence":"MIT"}',
        **changes,
    }
    return ModelRegistered(**values)


def assigned(version: str, by: str, reason: str, alias: str = "champion") -> AliasAssigned:
    return AliasAssigned(new_event_id(), now(), MODEL, alias, Version(version), by, reason)


def started(run: str, config: str = '{"lr":0.1}', **changes: Any) -> RunStarted:
    return RunStarted(
        new_event_id(), now(), RunId(run), ExperimentId("thresholds"), config, **changes
    )


def tagged(run: str, name: str, value: str | None) -> RunTagSet:
    return RunTagSet(new_event_id(), now(), RunId(run), name, value, "research")


def logged(run: str, step: int | None, **metrics: float) -> MetricsLogged:
    names, values = tuple(metrics), tuple(metrics.values())
    return MetricsLogged(new_event_id(), now(), RunId(run), step, names, values)


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


def project(log: Log, topic: Topic, facts: Iterable[Fact], key: bytes) -> None:
    """Append with a record key, as producers do, and bring into the tables."""
    log.append(topic, facts, key=key)
    log.wait()


def found_versions(log: Log, **conditions: Any) -> list[str]:
    with make_client(log.settings.clickhouse) as client:
        rows = search_versions(client, **conditions)
    return [row.version for row in rows]


def found_runs(log: Log, **conditions: Any) -> list[str]:
    with make_client(log.settings.clickhouse) as client:
        rows = search_runs(client, **conditions)
    return [row.run_id for row in rows]


def test_the_registry_can_be_listed_searched_and_seen_as_of_any_moment(log: Log) -> None:
    first = registered("v1.0.0")
    second = registered(
        "v2.0.0",
        tensors=(Tensor(True, "image", "FLOAT", ("1", "3", "h", "w")),),
        opsets=(OpsetImport("", 17),),
        run_id=RunId("run-1"),
        dataset="faces",
        git_commit="0badcafe",
        parent_model_id=MODEL,
        parent_version=Version("v1.0.0"),
    )
    promoted = assigned("v1.0.0", "research", "best recall")
    stage = ModelTagSet(new_event_id(), now(), MODEL, Version("v1.0.0"), "stage", "shadow")
    with running_projector(log.settings):
        project(log, REGISTRY, [first, promoted, stage, promoted], b"centerface")
        # Append times are milliseconds: what comes next is to have a later one.
        appended = datetime.now(UTC)
        eventually(lambda: datetime.now(UTC) - appended > timedelta(milliseconds=2), poll_s=0.001)
        before = datetime.now(UTC)
        later: list[Fact] = [
            second,
            assigned("v2.0.0", "release", "faster"),
            ModelTagSet(new_event_id(), now(), MODEL, Version("v1.0.0"), "stage", "live"),
            # sent again: what was said since then still counts
            stage,
            assigned("v2.0.0", "release", "try it", alias="candidate"),
            AliasRemoved(new_event_id(), now(), MODEL, "candidate", "release", "tried"),
            ModelArchived(new_event_id(), now(), MODEL, Version("v1.0.0"), "research", "old"),
            ModelErased(new_event_id(), now(), MODEL, "research", "asked to", Version("v1.0.0")),
            registered("v3.0.0"),
            ModelArchived(new_event_id(), now(), MODEL, None, "research", "all of it"),
            ModelRestored(new_event_id(), now(), MODEL, Version("v3.0.0"), "research", "not this"),
        ]
        project(log, REGISTRY, later, b"centerface")

    at = before.strftime("%Y-%m-%d %H:%M:%S.%f")
    assert log.ask(
        f"SELECT version, aliases, tags, archived, erased FROM registry_at(ts = '{at}')"
    ) == [("v1.0.0", ["champion"], {"stage": "shadow"}, False, False)]
    assert log.ask(
        "SELECT version, aliases, tags, archived, erased FROM model_versions ORDER BY version"
    ) == [
        ("v1.0.0", [], {"stage": "live"}, True, True),
        ("v2.0.0", ["champion"], {}, True, False),
        ("v3.0.0", [], {}, False, False),
    ]
    assert log.ask(
        "SELECT alias, version, changed_by, reason, held_until IS NULL FROM alias_history "
        "ORDER BY alias, changed_at, version"
    ) == [
        ("candidate", "v2.0.0", "release", "try it", False),
        ("candidate", None, "release", "tried", True),
        ("champion", "v1.0.0", "research", "best recall", False),
        ("champion", "v2.0.0", "release", "faster", True),
    ]
    with make_client(log.settings.clickhouse) as client:
        (row,) = search_versions(client, text="BADCAFE", include_archived=True)
    assert isinstance(row, VersionRow)
    assert row.tensors == [(True, "image", "FLOAT", ["1", "3", "h", "w"])]
    assert row.opsets == [("", 17)]
    assert (row.run_id, row.dataset, row.parent_version) == ("run-1", "faces", "v1.0.0")
    assert found_versions(log) == ["v3.0.0"]
    assert found_versions(log, include_archived=True) == ["v3.0.0", "v2.0.0", "v1.0.0"]
    everything = {"include_archived": True}
    assert found_versions(log, alias="champion", **everything) == ["v2.0.0"]
    assert found_versions(log, tag=("stage", "live"), **everything) == ["v1.0.0"]
    assert found_versions(log, tag=("stage", "shadow"), **everything) == []
    assert found_versions(log, text="Stage=LIVE", **everything) == ["v1.0.0"]
    assert found_versions(log, model_id="another", **everything) == []


@pytest.fixture
def client(log: Log) -> Iterator[Client]:
    with make_client(log.settings.clickhouse) as client:
        yield client


def test_runs_can_be_listed_searched_and_compared(log: Log, client: Client) -> None:
    child = [
        started(
            "child",
            '{"net":{"depth":{"blocks":3}},"lr":1e-05,"name":"Größe \'x\'"}',
            parent_run_id=RunId("parent"),
            environment_json='{"python":"3.11"}',
            heartbeat_s=0.2,
        ),
        ParamsLogged(new_event_id(), now(), RunId("child"), '{"lr":0.25,"epochs":4}'),
        *(tagged("child", "team", value) for value in ("red", "blue")),
        tagged("child", "gone", "soon"),
        tagged("child", "gone", None),
        ArtifactLogged(
            new_event_id(), now(), RunId("child"), "a.txt", "file:///a", Sha256(bytes(32)), 3
        ),
        RunResumed(new_event_id(), now(), RunId("child"), "{}", 0.3, "release"),
    ]
    repeated = logged("parent", 2, loss=0.5)
    parent = [
        started("parent", heartbeat_s=0.0),
        tagged("parent", "team", "red"),
        *(logged("parent", step, loss=value) for step, value in ((0, 1.0), (1, -2.0), (3, -2.0))),
        repeated,
        repeated,
        logged("parent", None, recall=0.75),
        RunEnded(new_event_id(), now(), RunId("parent"), RunStatus.FAILED, "Traceback …"),
        RunEnded(new_event_id(), now(), RunId("parent"), RunStatus.FINISHED),
    ]
    with running_projector(log.settings):
        project(log, EXPERIMENTS, parent, b"parent")
        project(log, EXPERIMENTS, child, b"child")
        eventually(lambda: runs_by_id(client, ["child"])[0].status == "LOST")
        project(log, EXPERIMENTS, [RunHeartbeat(new_event_id(), now(), RunId("child"))], b"child")
        alive = runs_by_id(client, ["child"])[0].last_seen_at

    (first, second) = runs_by_id(client, ["parent", "child", "nobody"])
    assert isinstance(second, RunRow)
    assert (first.status, first.detail) == ("FAILED", "Traceback …")
    assert second.params == {
        "net.depth.blocks": "3", "lr": "0.25", "name": "Größe 'x'", "epochs": "4",
    }  # fmt: skip
    assert second.tags == {"team": "blue"}
    assert (second.parent_run_id, second.artifacts, second.resumptions) == ("parent", ["a.txt"], 1)
    assert (second.environment_json, second.heartbeat_s) == ('{"python":"3.11"}', 0.3)
    assert second.last_seen_at == alive > second.started_at.replace(tzinfo=alive.tzinfo)

    assert found_runs(log) == ["child", "parent"]
    assert found_runs(log, limit=1) == ["child"]
    assert found_runs(log, status="FAILED") == ["parent"]
    assert found_runs(log, status="FINISHED") == []
    assert found_runs(log, tag=("team", "red")) == ["parent"]
    assert found_runs(log, tag=("team", None)) == ["child", "parent"]
    assert found_runs(log, tag=("gone", None)) == []
    assert found_runs(log, param=("lr", "0.25")) == ["child"]
    assert found_runs(log, param=("lr", "1e-1")) == ["parent"]
    assert found_runs(log, param=("lr", "0.00001")) == []
    assert found_runs(log, param=("net.depth.blocks", "3")) == ["child"]
    assert found_runs(log, param=("name", "Größe 'x'")) == ["child"]
    assert found_runs(log, text="GRÖSSE") == []
    assert found_runs(log, text="GRÖßE 'X'") == ["child"]
    assert found_runs(log, text="team=RED") == ["parent"]
    assert found_runs(log, text="epochs=4", experiment_id="thresholds") == ["child"]
    assert found_runs(log, experiment_id="others") == []

    assert summaries(client, ["parent", "child"]) == {
        "parent": [
            MetricSummary("loss", 4, 3, -2.0, -2.0, 1, 1.0, 0, -0.625),
            MetricSummary("recall", 1, None, 0.75, 0.75, None, 0.75, None, 0.75),
        ]
    }
    losses = (1.0, -2.0, 0.5, -2.0)
    assert metric_history(client, "parent") == {"loss": Curve((0, 1, 2, 3), losses, losses, losses)}
    assert metric_history(client, "parent", ["loss"], most_points=2) == {
        "loss": Curve((0, 2), (-0.5, -0.75), (-2.0, -2.0), (1.0, 0.5))
    }
    assert metric_history(client, "parent", ["recall"]) == {}


def test_facts_that_an_older_projector_left_in_the_log_alone_are_filled_in(log: Log) -> None:
    # A run that is lost meanwhile would look otherwise than before.
    facts = [started("a", heartbeat_s=3600.0), tagged("a", "team", "red"), logged("a", 1, loss=0.5)]
    models = [
        registered("v1.0.0", opsets=(OpsetImport("", 17),)),
        assigned("v1.0.0", "research", ""),
    ]
    views = ("model_versions", "alias_history", "experiments", "experiment_comparison")
    with running_projector(log.settings):
        log.append(EXPERIMENTS, facts, key=b"a")
        project(log, REGISTRY, models, b"centerface")
    known = log.fingerprints(*views)
    for table in TYPED_TABLES:
        log.ask(f"TRUNCATE TABLE {table}")
    assert log.fingerprints(*views) != known

    with running_projector(log.settings):
        eventually(lambda: log.fingerprints(*views) == known)
        project(log, EXPERIMENTS, [tagged("a", "team", "blue")], b"a")
    # what was filled in is not filled in again
    with running_projector(log.settings):
        project(log, EXPERIMENTS, [tagged("a", "owner", "research")], b"a")
    assert log.ask("SELECT tags FROM experiments") == [({"owner": "research", "team": "blue"},)]
    assert log.ask("SELECT count() FROM run_rows") == [(4,)]
