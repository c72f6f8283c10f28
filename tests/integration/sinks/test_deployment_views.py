"""What the log says of deployments, routing and nodes is what their views answer."""

import json
import time
from collections.abc import Iterable
from uuid import UUID

import pytest

from modeltrail.infra.config import Settings
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRefusal,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    NodeReported,
    NodeStarted,
    NodeStopped,
    RollbackCause,
    RollbackRequested,
    RoutedArm,
    RoutingSet,
    ServedArm,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    Sha256,
    Version,
    new_event_id,
)
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE
from modeltrail.schemas.topics import DEPLOYMENTS, NODES, ROUTING, key_of
from tests.integration.sinks.log import Log
from tests.integration.sinks.projectors import running_projector
from tests.waiting import eventually

MODEL = ModelId("centerface")
FIRST, SECOND = Version("v1.0.0"), Version("v2.0.0")
ENVIRONMENT = "production"
POLICY = '{"production":{"shares_percent":[5,100]}}'
EVIDENCE = json.dumps({"judged": {"ratio": 1.25}, "samples": [20.5, 21.0]})
STARTED_US = 1_767_225_600_000_000


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


class Deployment:
    """The facts of one deployment, in the order in which they are said."""

    def __init__(self, version: Version, by: str = "release") -> None:
        self.id = new_event_id()
        self.about = (self.id, MODEL, version, ENVIRONMENT)
        self.facts: list[Fact] = [
            DeploymentRequested(
                self.id, self._now(0), MODEL, version, ENVIRONMENT, POLICY, by, "faster"
            )
        ]

    def step(
        self, number: int, step: DeploymentStep, verdict: StepVerdict | None, share: int = -1
    ) -> "Deployment":
        self.facts.append(
            StepStarted(
                *(new_event_id(), self._now(number), *self.about, step, number, share),
                deadline_at=self._now(number + 600),
                baseline_version=FIRST,
                trial_metrics=("latency_ms",) if step is DeploymentStep.AB_TEST else (),
            )
        )
        if verdict is not None:
            self.facts.append(
                StepCompleted(
                    *(new_event_id(), self._now(number + 2.5), *self.about, step, number, verdict),
                    reason=f"{step} {verdict}",
                    evidence_json=EVIDENCE,
                    started_at=self._now(number),
                )
            )
        return self

    def ends(self, kind: type[Fact], *values: object) -> "Deployment":
        self.facts.append(kind(new_event_id(), self._now(9), *self.about, *values))  # type: ignore[call-arg]
        return self

    @property
    def uuid(self) -> UUID:
        return UUID(bytes=self.id)

    def _now(self, seconds: float) -> Micros:
        return Micros(STARTED_US + round(seconds * 1_000_000))


def project(log: Log, facts: Iterable[Fact]) -> None:
    log.append(DEPLOYMENTS, facts, key=key_of(MODEL))
    log.wait()


def test_every_deployment_and_step_is_as_the_log_says(log: Log) -> None:
    alert, request = new_event_id(), new_event_id()
    passed, production = StepVerdict.PASSED, DeploymentStep.PRODUCTION
    succeeded = (
        Deployment(SECOND)
        .step(1, DeploymentStep.VALIDATION, passed)
        .step(2, DeploymentStep.AB_TEST, passed, share=5000)
        .step(3, production, passed, share=WHOLE)
        .ends(DeploymentSucceeded, FIRST)
    )
    rolled_back = (
        Deployment(SECOND)
        .step(1, production, passed, share=WHOLE)
        .ends(DeploymentSucceeded, FIRST)
        .ends(DeploymentRolledBack, RollbackCause.ALERT, "latency", FIRST, alert)
    )
    failed = (
        Deployment(SECOND)
        .step(1, DeploymentStep.VALIDATION, passed)
        .step(2, DeploymentStep.PERFORMANCE, StepVerdict.FAILED)
        .ends(DeploymentFailed, DeploymentStep.PERFORMANCE, "25 % slower")
    )
    cancelled = (
        Deployment(SECOND)
        .step(1, DeploymentStep.VALIDATION, None)
        .ends(DeploymentCancelled, request, "operator", "wrong version")
    )
    running = Deployment(SECOND).step(1, DeploymentStep.VALIDATION, None)
    queued = Deployment(SECOND, by="another")
    refused = Deployment(Version("v9.0.0"))
    no_deployment = RollbackRequested(new_event_id(), Micros(1), MODEL, ENVIRONMENT)
    refusals: list[Fact] = [
        DeploymentRequestRefused(new_event_id(), Micros(1), about, MODEL, reason, "see the list")
        for about, reason in (
            (refused.id, DeploymentRefusal.UNKNOWN_VERSION),
            (no_deployment.event_id, DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO),
        )
    ]
    all_of_them = [succeeded, rolled_back, failed, cancelled, running, queued, refused]
    with running_projector(log.settings):
        for deployment in all_of_them:
            project(log, deployment.facts)
        # facts that are sent again change nothing
        project(log, [no_deployment, *refusals, *succeeded.facts, *rolled_back.facts[:2]])

    rows = log.ask(
        "SELECT deployment_id, status, version, step, step_number, reason, reason_kind, "
        "replaced_version, rolled_back_to, requested_by, ended_by, caused_by FROM deployments"
    )
    end = (DeploymentStep.PRODUCTION, 3, "", "", FIRST, None, "release", "", None)
    assert {row[0]: row[1:] for row in rows} == {
        succeeded.uuid: ("SUCCEEDED", SECOND, *end),
        rolled_back.uuid: (
            *("ROLLED_BACK", SECOND, "PRODUCTION", 1, "latency", "ALERT", FIRST, FIRST, "release"),
            *("", UUID(bytes=alert)),
        ),
        failed.uuid: (
            *("FAILED", SECOND, "PERFORMANCE", 2, "25 % slower", "", None, None, "release"),
            *("", None),
        ),
        cancelled.uuid: (
            *("CANCELLED", SECOND, "VALIDATION", 1, "wrong version", "", None, None, "release"),
            *("operator", UUID(bytes=request)),
        ),
        running.uuid: (
            *("RUNNING", SECOND, "VALIDATION", 1, "", "", None, None, "release", "", None),
        ),
        queued.uuid: ("QUEUED", SECOND, "", None, "", "", None, None, "another", "", None),
        refused.uuid: (
            *("REFUSED", "v9.0.0", "", None, "see the list", "UNKNOWN_VERSION", None, None),
            *("release", "", None),
        ),
    }
    times = "requested_at <= started_at AND started_at <= ended_at"
    assert log.ask(f"SELECT count() FROM deployments WHERE {times}") == [(4,)]
    assert log.ask("SELECT DISTINCT policy_json, request_reason FROM deployments") == [
        (POLICY, "faster")
    ]

    # every step is there once, with all that was said of it
    said = {
        (UUID(bytes=fact.deployment_id), fact.number)
        for deployment in all_of_them
        for fact in deployment.facts
        if isinstance(fact, StepStarted)
    }
    steps = log.ask(
        "SELECT deployment_id, number, step, verdict, reason, share, baseline_version, "
        "trial_metrics, evidence_json, duration_s FROM deployment_steps"
    )
    assert {row[:2] for row in steps} == said
    assert len(steps) == len(said)
    by_place = {row[:2]: row[2:] for row in steps}
    assert by_place[succeeded.uuid, 2] == (
        *("AB_TEST", "PASSED", "AB_TEST PASSED", 0.5, FIRST, ["latency_ms"], EVIDENCE, 2.5),
    )
    assert by_place[succeeded.uuid, 1][3] is None
    assert by_place[running.uuid, 1] == ("VALIDATION", "", "", None, FIRST, [], "", None)
    # and the log has every fact as JSON as well
    assert log.ask("SELECT uniqExact(event_id) FROM event_log WHERE topic = 'deployments'") == [
        (sum(len(each.facts) for each in all_of_them) + 3,)
    ]


def sha256_of(version: Version) -> Sha256:
    return Sha256(version.encode().ljust(32, b"\0"))


def arm(name: str, version: Version, share: int) -> RoutedArm:
    return RoutedArm(
        name, version, sha256_of(version), f"file:///{version}", 7, ("queue_depth",), share
    )


def routing(revision: int, *arms: RoutedArm, deployment: EventId | None = None) -> RoutingSet:
    about = (ENVIRONMENT, MODEL, revision, "salt", arms, deployment)
    return RoutingSet(EventId(revision.to_bytes(16, "big")), Micros(revision), *about)


def reported(node: str, *serves: ServedArm, heartbeat_s: float = 3600.0) -> NodeReported:
    about = (NodeId(node), ENVIRONMENT, heartbeat_s, serves, (f"{MODEL} v9.0.0",))
    return NodeReported(new_event_id(), Micros(time.time_ns() // 1000), *about)


def served(version: Version, revision: int) -> ServedArm:
    return ServedArm(MODEL, revision, CHAMPION, version, sha256_of(version))


def test_routing_and_nodes_are_as_they_were_said_last(log: Log) -> None:
    deployment = new_event_id()
    whole = routing(1, arm(CHAMPION, FIRST, WHOLE))
    shared = routing(
        2, arm(CANDIDATE, SECOND, 500), arm(CHAMPION, FIRST, 9500), deployment=deployment
    )
    nothing = routing(3)
    set_by = UUID(bytes=deployment)
    with running_projector(log.settings):
        # a worker that restarts says the last again
        log.append(ROUTING, [whole, shared, shared], key=key_of(ENVIRONMENT, MODEL))
        log.wait()
        assert log.ask(
            "SELECT revision, arm, version, share, artifact_sha256, deployment_id FROM routing "
            "ORDER BY arm"
        ) == [
            (2, CANDIDATE, SECOND, 0.05, sha256_of(SECOND).hex(), set_by),
            (2, CHAMPION, FIRST, 0.95, sha256_of(FIRST).hex(), set_by),
        ]
        log.append(ROUTING, [nothing], key=key_of(ENVIRONMENT, MODEL))
        said: dict[str, list[Fact]] = {
            "gate-1": [reported("gate-1", served(FIRST, 1)), reported("gate-1", served(SECOND, 2))],
            "gate-2": [
                NodeStarted(new_event_id(), Micros(1), NodeId("gate-2"), ENVIRONMENT, "host", ()),
                reported("gate-2", served(FIRST, 1)),
                NodeStopped(new_event_id(), Micros(1), NodeId("gate-2"), ENVIRONMENT),
            ],
            "gate-3": [reported("gate-3", served(FIRST, 1), heartbeat_s=0.1)],
            "gate-4": [reported("gate-4")],
        }
        for node, facts in said.items():
            log.append(NODES, facts, key=key_of(node))
        log.wait()

    assert log.ask(
        "SELECT revision, arm, version, share, until IS NULL FROM routing_history "
        "ORDER BY revision, arm"
    ) == [
        (1, CHAMPION, FIRST, 1.0, False),
        (2, CANDIDATE, SECOND, 0.05, False),
        (2, CHAMPION, FIRST, 0.95, False),
        (3, "", "", 0.0, True),
    ]
    eventually(
        lambda: (
            log.ask("SELECT node_id, status FROM nodes ORDER BY node_id")
            == [("gate-1", "ALIVE"), ("gate-2", "STOPPED"), ("gate-3", "LOST"), ("gate-4", "ALIVE")]
        )
    )
    assert log.ask(
        "SELECT node_id, model_id, arm, version, revision, wanted_revision, alive, artifact_sha256 "
        "FROM node_models ORDER BY node_id"
    ) == [
        ("gate-1", MODEL, CHAMPION, SECOND, 2, 3, True, sha256_of(SECOND).hex()),
        ("gate-3", MODEL, CHAMPION, FIRST, 1, 3, False, sha256_of(FIRST).hex()),
    ]
    assert log.ask("SELECT failing FROM nodes WHERE node_id = 'gate-4'") == [([f"{MODEL} v9.0.0"],)]
    # heartbeats are in no log of events, all else of nodes is
    assert log.ask(
        "SELECT event_type, count() FROM event_log WHERE topic = 'nodes' GROUP BY ALL ORDER BY ALL"
    ) == [("NodeStarted", 1), ("NodeStopped", 1)]
