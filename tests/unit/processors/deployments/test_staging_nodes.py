"""Staging ends when the nodes that follow the model ran it, or failed at it for good."""

import json
from dataclasses import replace

import pytest

from modeltrail.processors.deployments.concluding import concluded
from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.state import ModelState, Running
from modeltrail.schemas.deployment_policy import policy_from_yaml, policy_json
from modeltrail.schemas.events import (
    DeploymentRequested,
    DeploymentStep,
    NodeReported,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros, Version
from tests.deployment_world import MODEL, PRODUCTION, registered, reported

VERSION = "v2.0.0"
DEADLINE = 100
RUNS = reported("a", VERSION, follows=MODEL)
LOADS = reported("b")
FAILS = reported("c", None, VERSION)
FAILS_FOR_NOW = reported("d", None, VERSION, may_pass=True)
SERVES_ANOTHER = reported("e", follows="another")


def end_of_staging(
    *live: NodeReported, now: int = 50, policy: str = "validation: {}"
) -> StepCompleted | None:
    """How staging ends with these nodes alive, if it does."""
    request = replace(
        example_fact(DeploymentRequested), policy_json=policy_json(policy_from_yaml(policy))
    )
    started = replace(
        example_fact(StepStarted),
        occurred_at=Micros(0),
        model_id=MODEL,
        version=Version(VERSION),
        environment=PRODUCTION,
        step=DeploymentStep.STAGING,
        deadline_at=Micros(DEADLINE),
    )
    running = Running(request, None, started=started)
    state = ModelState(running=running)
    known = state.registered.put(Version(VERSION), registered(VERSION))
    return concluded(replace(state, registered=known), running, started, Tick(now, live))


@pytest.mark.parametrize(
    ("live", "verdict"),
    [
        ((RUNS,), StepVerdict.PASSED),
        ((RUNS, LOADS), None),
        ((RUNS, SERVES_ANOTHER), StepVerdict.PASSED),
        ((SERVES_ANOTHER,), StepVerdict.SKIPPED),
        ((RUNS, FAILS), StepVerdict.FAILED),
        ((RUNS, FAILS_FOR_NOW), None),
        ((FAILS, FAILS_FOR_NOW), None),
    ],
)
def test_staging_waits_for_nodes_that_may_still_come(
    live: tuple[NodeReported, ...], verdict: StepVerdict | None
) -> None:
    ended = end_of_staging(*live)
    assert (ended and ended.verdict) == verdict


@pytest.mark.parametrize("node", [LOADS, FAILS, FAILS_FOR_NOW])
def test_at_the_deadline_each_node_that_does_not_run_it_fails_staging(node: NodeReported) -> None:
    ended = end_of_staging(RUNS, node, now=DEADLINE)
    assert ended is not None
    assert ended.verdict is StepVerdict.FAILED
    assert f"1 of 2 live nodes {'did not' if node is LOADS else 'could not'}" in ended.reason


def test_nodes_of_other_models_are_not_enough_and_are_in_the_evidence() -> None:
    policy = "staging: {minimum_nodes: 1}"
    assert end_of_staging(SERVES_ANOTHER, policy=policy) is None
    ended = end_of_staging(SERVES_ANOTHER, now=DEADLINE, policy=policy)
    assert ended is not None
    assert ended.verdict is StepVerdict.FAILED
    assert json.loads(ended.evidence_json)["not_following"] == [SERVES_ANOTHER.node_id]


def test_the_evidence_says_which_failures_might_have_passed() -> None:
    ended = end_of_staging(FAILS, FAILS_FOR_NOW, now=DEADLINE)
    assert ended is not None
    evidence = json.loads(ended.evidence_json)
    assert (evidence["failing"], evidence["transient"]) == (["c", "d"], ["d"])
