"""Deployments from request to end: gates, queue, cancel, rollback, alerts; on a log in memory."""

import json
from collections.abc import Callable

import pytest

from modeltrail.schemas.events import (
    AliasRequested,
    BenchmarkRequested,
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRefusal,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    RollbackCause,
    Severity,
    StepCompleted,
    StepStarted,
    StepVerdict,
    ValidationRequested,
)
from modeltrail.schemas.ids import EventId
from tests.deployment_world import MODEL, QUICK, World, erased, reported, validated

STEPS = (
    DeploymentStep.VALIDATION,
    DeploymentStep.PERFORMANCE,
    DeploymentStep.STAGING,
    DeploymentStep.PRODUCTION,
    DeploymentStep.PRODUCTION,
)


def with_champion() -> World:
    """v1.0.0 has all traffic, and the time in which alerts take it back is over."""
    world = World()
    world.deploy("v1.0.0")
    world.advance(150, 5)
    assert world.routing() == [("v1.0.0", 10_000)]
    return world


def verdicts(world: World, deployment_id: EventId) -> list[tuple[DeploymentStep, StepVerdict]]:
    """How the steps of a deployment ended."""
    return [
        (each.step, each.verdict)
        for each in world.facts(StepCompleted)
        if each.deployment_id == deployment_id
    ]


def test_a_version_passes_every_gate_and_gets_all_traffic_share_by_share() -> None:
    world = with_champion()
    deployment = world.deploy("v2.0.0", QUICK.replace("watch_s", "alias: live, watch_s"))
    world.advance(1)
    assert world.routing() == [("v2.0.0", 1000), ("v1.0.0", 9000)]
    world.advance(10)
    assert [step for step, _ in verdicts(world, deployment)] == list(STEPS)
    succeeded = world.facts(DeploymentSucceeded)[-1]
    assert (succeeded.version, succeeded.replaced_version) == ("v2.0.0", "v1.0.0")
    assert world.routing() == [("v2.0.0", 10_000)]
    assert [(each.alias, each.version) for each in world.facts(AliasRequested)] == [
        ("live", "v2.0.0")
    ]


def test_without_a_champion_a_version_gets_all_traffic_at_once() -> None:
    world = World()
    world.deploy("v1.0.0", f"ab_test: {{}}\n{QUICK}")
    world.advance(1)
    assert world.routing() == [("v1.0.0", 10_000)]
    world.advance(5)
    assert [each.share for each in world.facts(StepStarted) if each.share >= 0] == [10_000]
    assert world.facts(DeploymentSucceeded)


def test_a_failed_check_ends_the_deployment_and_leaves_production_alone() -> None:
    world = with_champion()
    world.answering = False
    world.deploy("v2.0.0")
    world.settle()
    world.append(validated(world.facts(ValidationRequested)[-1], "FAILED"))
    world.settle()
    failed = world.facts(DeploymentFailed)[-1]
    assert failed.step is DeploymentStep.VALIDATION
    assert "sha256" in failed.reason
    assert world.routing() == [("v1.0.0", 10_000)]


def test_a_slower_version_is_refused_by_the_performance_gate_with_its_interval() -> None:
    world = with_champion()
    world.ratio = 1.3
    deployment = world.deploy("v2.0.0")
    world.advance(1)
    completed = world.facts(StepCompleted)[-1]
    assert completed.deployment_id == deployment
    assert completed.verdict is StepVerdict.FAILED
    ratio = json.loads(completed.evidence_json)["judged"]["batches"][0]["ratio"]
    assert 1.1 < ratio["low"] <= ratio["value"] <= ratio["high"]
    assert world.facts(DeploymentFailed)[-1].step is DeploymentStep.PERFORMANCE


def test_nobody_answers_until_the_deadline() -> None:
    world = World()
    world.answering = False
    world.deploy("v1.0.0", "validation: {deadline_s: 5}")
    world.advance(4)
    assert not world.facts(DeploymentFailed)
    world.advance(2)
    assert "worker jobs" in world.facts(DeploymentFailed)[-1].reason


def test_the_benchmark_is_for_a_node_of_staging_and_staging_waits_for_all_live_ones() -> None:
    world = World()
    world.append(reported("node-b"), reported("node-a"))
    world.deploy("v1.0.0")
    world.advance(1)
    assert world.facts(BenchmarkRequested)[-1].node_id == "node-a"
    assert world.open_step().step is DeploymentStep.STAGING
    assert world.routing("staging") == [("v1.0.0", 10_000)]
    world.append(reported("node-a", "v1.0.0"))
    world.advance(1)
    assert world.open_step().step is DeploymentStep.STAGING
    world.append(reported("node-b", "v1.0.0"))
    world.advance(1)
    assert world.open_step().step is DeploymentStep.PRODUCTION


def test_a_benchmark_whose_node_died_is_given_to_another() -> None:
    world = World()
    world.answering = False
    world.append(reported("node-a"), reported("node-b"))
    world.deploy("v1.0.0")
    world.settle()
    world.append(validated(world.facts(ValidationRequested)[-1]))
    for _ in range(12):
        world.advance(5)
        world.append(reported("node-b"))
    assert [each.node_id for each in world.facts(BenchmarkRequested)] == ["node-a", "node-b"]
    world.restart()
    world.advance(5)
    assert len(world.facts(BenchmarkRequested)) == 2
    world.answering = True
    world.advance(5)
    assert world.open_step().step is DeploymentStep.STAGING


def test_a_node_that_cannot_load_a_version_fails_it_and_staging_goes_back() -> None:
    world = with_champion()
    world.append(reported("node-a"))
    world.deploy("v2.0.0")
    world.settle()
    assert world.routing("staging") == [("v2.0.0", 10_000)]
    world.append(reported("node-a", None, "v2.0.0"))
    world.advance(1)
    assert world.facts(DeploymentFailed)[-1].step is DeploymentStep.STAGING
    assert world.routing("staging") == [("v1.0.0", 10_000)]


def test_staging_waits_while_a_failure_may_pass_and_not_for_nodes_of_other_models() -> None:
    # given a node that serves another model only, and one that the store does not answer
    world = with_champion()
    world.append(reported("node-a", follows="another"), reported("node-b", follows=MODEL))
    deployment = world.deploy("v2.0.0")
    world.settle()
    assert world.facts(BenchmarkRequested)[-1].node_id == "node-b"
    world.append(reported("node-b", None, "v2.0.0", may_pass=True, follows=MODEL))
    world.advance(5)
    assert world.open_step().step is DeploymentStep.STAGING
    # when the store answers
    world.append(reported("node-b", "v2.0.0", follows=MODEL))
    world.advance(1)
    # then the version goes on, and the evidence tells of both nodes
    staging = next(
        each
        for each in world.facts(StepCompleted)
        if each.deployment_id == deployment and each.step is DeploymentStep.STAGING
    )
    assert staging.verdict is StepVerdict.PASSED
    evidence = json.loads(staging.evidence_json)
    assert [each["node_id"] for each in evidence["nodes"]] == ["node-b"]
    assert evidence["not_following"] == ["node-a"]
    assert world.routing() == [("v2.0.0", 1000), ("v1.0.0", 9000)]


def test_a_failure_that_did_not_pass_by_the_deadline_fails_staging() -> None:
    world = with_champion()
    world.append(reported("node-a"))
    world.deploy("v2.0.0", f"staging: {{deadline_s: 9}}\n{QUICK}")
    world.settle()
    world.append(reported("node-a", None, "v2.0.0", may_pass=True))
    world.advance(8)
    assert world.open_step().step is DeploymentStep.STAGING
    assert not world.facts(DeploymentFailed)
    world.advance(2)
    failed = world.facts(DeploymentFailed)[-1]
    assert failed.step is DeploymentStep.STAGING
    assert "1 of 1 live nodes could not load it (node-a)" in failed.reason
    assert world.routing("staging") == [("v1.0.0", 10_000)]


def test_a_second_deployment_of_a_model_waits_until_the_first_is_over() -> None:
    world = World()
    first = world.deploy("v1.0.0")
    second = world.deploy("v2.0.0")
    world.advance(1)
    assert {each.deployment_id for each in world.facts(StepStarted)} == {first}
    world.advance(20)
    assert [each.deployment_id for each in world.facts(DeploymentSucceeded)] == [first, second]
    assert world.routing() == [("v2.0.0", 10_000)]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_cancel_works_in_every_step(number: int) -> None:
    world = with_champion()
    deployment = world.deploy("v2.0.0", QUICK.replace("hold_s: 2", "hold_s: 9"))
    up_to(world, deployment, number)
    cancel = world.cancel(deployment)
    world.advance(1)
    (cancelled,) = world.facts(DeploymentCancelled)
    assert (cancelled.deployment_id, cancelled.request_id) == (deployment, cancel)
    assert world.routing() == [("v1.0.0", 10_000)]
    assert verdicts(world, deployment)[-1] == (STEPS[number], StepVerdict.ABORTED)
    world.advance(200, 5)
    assert len(world.facts(DeploymentSucceeded)) == 1


def test_a_cancel_takes_a_waiting_deployment_out_of_the_queue() -> None:
    world = World()
    world.deploy("v1.0.0")
    second = world.deploy("v2.0.0")
    world.settle()
    world.cancel(second)
    world.advance(20)
    assert world.facts(DeploymentCancelled)[-1].deployment_id == second
    assert world.routing() == [("v1.0.0", 10_000)]


@pytest.mark.parametrize("number", [3, 4])
def test_an_alert_about_the_candidate_takes_its_traffic_at_once(number: int) -> None:
    world = with_champion()
    deployment = world.deploy("v2.0.0", QUICK.replace("hold_s: 2", "hold_s: 9"))
    up_to(world, deployment, number)
    world.alert("v1.0.0")
    world.alert("v2.0.0", Severity.WARNING)
    world.settle()
    assert not world.facts(DeploymentRolledBack)
    alert = world.alert("v2.0.0")
    world.settle()
    (back,) = world.facts(DeploymentRolledBack)
    assert (back.deployment_id, back.cause, back.caused_by) == (
        deployment,
        RollbackCause.ALERT,
        alert,
    )
    assert world.routing() == [("v1.0.0", 10_000)]


def test_an_alert_within_the_watch_takes_production_back_and_a_later_one_does_not() -> None:
    world = with_champion()
    world.deploy("v2.0.0")
    world.advance(10)
    assert world.facts(DeploymentSucceeded)[-1].version == "v2.0.0"
    world.advance(50, 5)
    world.alert("v2.0.0")
    world.settle()
    assert world.facts(DeploymentRolledBack)[-1].to_version == "v1.0.0"
    world.deploy("v3.0.0")
    world.advance(120, 5)
    world.alert("v3.0.0")
    world.advance(10)
    assert world.routing() == [("v3.0.0", 10_000)]


def test_an_alert_about_the_only_version_there_ever_was_leaves_it_where_it_is() -> None:
    world = World()
    world.deploy("v1.0.0")
    world.advance(10)
    world.alert("v1.0.0")
    world.advance(10)
    assert not world.facts(DeploymentRolledBack)
    assert world.routing() == [("v1.0.0", 10_000)]


def test_an_alert_about_the_champion_in_its_watch_also_ends_what_runs() -> None:
    world = with_champion()
    world.deploy("v2.0.0")
    world.advance(10)
    third = world.deploy("v3.0.0", QUICK.replace("hold_s: 2", "hold_s: 50"))
    world.advance(1)
    assert world.routing() == [("v3.0.0", 1000), ("v2.0.0", 9000)]
    world.alert("v2.0.0")
    world.settle()
    assert world.facts(DeploymentCancelled)[-1].deployment_id == third
    assert world.facts(DeploymentRolledBack)[-1].to_version == "v1.0.0"
    assert world.routing() == [("v1.0.0", 10_000)]


def test_people_take_production_back_by_one_request_and_further_by_another() -> None:
    world = with_champion()
    for version in ("v2.0.0", "v3.0.0"):
        world.deploy(version)
        world.advance(10)
    asked = world.roll_back()
    world.settle()
    assert world.facts(DeploymentRolledBack)[-1].caused_by == asked
    assert world.routing() == [("v2.0.0", 10_000)]
    world.roll_back()
    world.settle()
    assert world.routing() == [("v1.0.0", 10_000)]
    world.roll_back("v3.0.0")
    world.settle()
    assert world.routing() == [("v3.0.0", 10_000)]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_rollback_ends_what_runs(number: int) -> None:
    world = with_champion()
    world.deploy("v2.0.0")
    world.advance(10)
    deployment = world.deploy("v3.0.0", QUICK.replace("hold_s: 2", "hold_s: 9"))
    up_to(world, deployment, number)
    world.roll_back("v1.0.0")
    world.settle()
    assert world.routing() == [("v1.0.0", 10_000)]
    cancelled = {each.deployment_id for each in world.facts(DeploymentCancelled)}
    assert deployment in cancelled | {
        each.deployment_id for each in world.facts(DeploymentRolledBack)
    }
    world.advance(30)
    assert world.routing() == [("v1.0.0", 10_000)]


def test_a_share_without_enough_sessions_is_taken_back_at_its_deadline() -> None:
    world = with_champion()
    policy = "production: {hold_s: 1, deadline_s: 9, minimum_sessions: 5}"
    world.deploy("v2.0.0", policy)
    world.advance(12)
    back = world.facts(DeploymentRolledBack)[-1]
    assert (back.cause, back.to_version) == (RollbackCause.GATE, "v1.0.0")
    assert world.routing() == [("v1.0.0", 10_000)]


def test_a_node_that_keeps_silent_about_a_benchmark_leaves_it_to_a_worker() -> None:
    # given a live node of staging that answers no benchmarks
    world = World()
    world.answering = False
    world.append(reported("node-a"))
    world.deploy("v1.0.0", f"performance: {{deadline_s: 60}}\n{QUICK}")
    world.settle()
    world.append(validated(world.facts(ValidationRequested)[-1]))
    # when half of the time is over
    for _ in range(8):
        world.advance(4)
        world.append(reported("node-a"))
    # then a worker is asked, once, and what it measures counts
    assert [each.node_id for each in world.facts(BenchmarkRequested)] == ["node-a", None]
    world.restart()
    world.answering = True
    world.advance(1)
    assert world.open_step().step is DeploymentStep.STAGING
    assert len(world.facts(BenchmarkRequested)) == 2


def test_in_the_staging_environment_itself_nothing_waits_for_nodes() -> None:
    world = World()
    policy = f"staging: {{minimum_nodes: 1, deadline_s: 60}}\n{QUICK}"
    deployment = world.deploy("v1.0.0", policy, environment="staging")
    world.advance(10)
    assert (DeploymentStep.STAGING, StepVerdict.SKIPPED) in verdicts(world, deployment)
    assert world.facts(DeploymentSucceeded)


@pytest.mark.parametrize("number", range(1, len(STEPS)))
def test_a_version_that_is_erased_on_its_way_gets_no_further(number: int) -> None:
    world = with_champion()
    deployment = world.deploy("v2.0.0", QUICK.replace("hold_s: 2", "hold_s: 9"))
    up_to(world, deployment, number - 1)
    world.now_ms += 1
    world.append(erased("v2.0.0"))
    world.advance(60)
    assert world.routing() == [("v1.0.0", 10_000)]
    ends: list[DeploymentFailed | DeploymentRolledBack] = [
        *world.facts(DeploymentFailed),
        *world.facts(DeploymentRolledBack),
    ]
    assert [each.deployment_id for each in ends] == [deployment]
    assert "was erased" in ends[0].reason
    assert verdicts(world, deployment)[-1] == (STEPS[number], StepVerdict.FAILED)


@pytest.mark.parametrize("by_alert", [False, True])
def test_traffic_does_not_go_back_to_a_version_that_was_erased(by_alert: bool) -> None:
    # given v2 in production above v1, and v3 on its way
    world = with_champion()
    world.deploy("v2.0.0", QUICK.replace("watch_s: 100", "watch_s: 1"))
    world.advance(20)
    policy = "production: {shares_percent: [10, 100], hold_s: 4, deadline_s: 9, minimum_sessions: "
    deployment = world.deploy("v3.0.0", f"{policy}{0 if by_alert else 5}}}")
    up_to(world, deployment, 2)
    # when v2 is erased, and v3 may not stay
    world.now_ms += 1
    world.append(erased("v2.0.0"))
    up_to(world, deployment, 3)
    if by_alert:
        world.alert("v3.0.0")
    world.advance(20)
    # then the newest version that nodes can still fetch has the traffic
    assert world.facts(DeploymentRolledBack)[-1].to_version == "v1.0.0"
    assert world.routing() == [("v1.0.0", 10_000)]


@pytest.mark.parametrize("policy", ["data_quality: {}", "ethics: {}"])
def test_what_the_policy_asks_for_and_nobody_knows_stops_a_version(policy: str) -> None:
    world = World()
    world.deploy("v1.0.0", policy)
    world.advance(1)
    assert world.facts(DeploymentFailed)[-1].step.value == policy.partition(":")[0].upper()


def refused_requests(world: World) -> dict[DeploymentRefusal, Callable[[], EventId]]:
    """A request for each kind of refusal."""
    ended = world.facts(DeploymentSucceeded)[0].deployment_id
    return {
        DeploymentRefusal.UNKNOWN_VERSION: lambda: world.deploy("v9.0.0"),
        DeploymentRefusal.ERASED: lambda: world.deploy("v3.0.0"),
        DeploymentRefusal.UNKNOWN_DEPLOYMENT: lambda: world.cancel(EventId(b"x" * 16)),
        DeploymentRefusal.ALREADY_ENDED: lambda: world.cancel(ended),
        DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO: lambda: world.roll_back(),
        DeploymentRefusal.INVALID_POLICY: lambda: world.deploy("v2.0.0", environment="\n"),
    }


def test_requests_that_cannot_be_met_are_refused_with_the_next_step() -> None:
    world = with_champion()
    world.append(erased("v3.0.0"))
    for reason, ask in refused_requests(world).items():
        asked = ask()
        world.settle()
        refused = world.facts(DeploymentRequestRefused)[-1]
        assert (refused.request_id, refused.reason) == (asked, reason)
        assert len(refused.detail) > 20
    assert world.routing() == [("v1.0.0", 10_000)]


def test_a_model_that_is_not_registered_is_refused() -> None:
    world = World(versions=())
    world.deploy("v1.0.0")
    world.settle()
    assert world.facts(DeploymentRequestRefused)[-1].reason is DeploymentRefusal.UNKNOWN_MODEL


def up_to(world: World, deployment_id: EventId, number: int) -> None:
    """Let the world go on in small parts until a step is open."""
    for _ in range(2000):
        opened = {(each.deployment_id, each.number) for each in world.facts(StepStarted)}
        if (deployment_id, number) in opened:
            return
        if not (world.deliver(1) or world.tick() or world.answer()):
            world.now_ms += 500
    raise AssertionError("the step was never reached")
