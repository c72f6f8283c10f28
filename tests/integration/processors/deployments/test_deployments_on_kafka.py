"""Deployments on the real stack: a whole one, an alert, and the processors killed at each step."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.deployments import DeploymentClient
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    RoutingSet,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.ids import EventId
from tests.integration.conftest import settings_of_their_own
from tests.integration.processors.deployments.field import Field, policy_for
from tests.integration.workers import running_worker

STEPS = (
    DeploymentStep.VALIDATION,
    DeploymentStep.PERFORMANCE,
    DeploymentStep.DATA_QUALITY,
    DeploymentStep.ETHICS,
    DeploymentStep.STAGING,
    DeploymentStep.AB_TEST,
    DeploymentStep.PRODUCTION,
    DeploymentStep.PRODUCTION,
)
#: Steps that wait for somebody; the other two are over as soon as they begin.
HELD = (0, 1, 4, 5, 6, 7)
FIRST = "production: {hold_s: 0, watch_s: 0}"


def test_a_deployment_goes_through_every_gate_and_an_alert_takes_it_back(
    fresh_settings: Settings,
) -> None:
    client = DeploymentClient(fresh_settings)
    with closing(Field(fresh_settings)) as field, running_worker(fresh_settings, "processors"):
        # given a champion
        field.register("m", "v1.0.0", "v2.0.0")
        client.deploy("m", "v1.0.0", FIRST)
        field.until(lambda: field.of(DeploymentSucceeded, "m"))
        # when another version goes through every step
        field.append(field.report("m", None))
        deployment = client.deploy("m", "v2.0.0", policy_for("m"), requested_by="ops")
        field.until(lambda: len(field.of(DeploymentSucceeded, "m")) == 2)
        # then each step has passed, and it has all traffic
        assert passed(field, "m", deployment) == list(STEPS)
        field.until(lambda: field.shares("m") == [("v2.0.0", 10_000)])
        # and when an alert is raised about it
        alert = field.alert("m", "v2.0.0")
        field.until(lambda: field.shares("m") == [("v1.0.0", 10_000)])
        # then its traffic is gone, and what took it is the alert
        field.until(lambda: field.of(DeploymentRolledBack, "m"))
        (back,) = field.of(DeploymentRolledBack, "m")
        assert back.caused_by == alert.event_id
        newest = max(field.of(RoutingSet, "m"), key=lambda each: each.revision)
        assert field.appended_at(newest) >= field.appended_at(alert)
        assert client.view().find(deployment.hex()).end == back


@pytest.fixture(scope="module")
def killed(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Deployments of which each was in another step when the processors were killed."""
    folder: Path = tmp_path_factory.mktemp("killed")
    settings = settings_of_their_own(stack, folder)
    client = DeploymentClient(settings)
    models = [f"step-{number}" for number in HELD]
    others = ("alerted", "cancelled", "rolled-back", "queued")
    with closing(Field(settings)) as field:
        with running_worker(settings, "processors") as worker:
            # given a champion of each model, and a candidate that is stuck in one step
            for model in (*models, *others):
                field.register(model, "v1.0.0", "v2.0.0", "v3.0.0")
                client.deploy(model, "v1.0.0", FIRST)
            field.until(lambda: all(field.of(DeploymentSucceeded, each) for each in models))
            field.until(lambda: all(field.of(DeploymentSucceeded, each) for each in others))
            stuck = {f"step-{number}": number for number in HELD} | dict.fromkeys(others, 6)
            field.holds = lambda model, step: is_stuck(field, stuck, model, step)
            for model in stuck:
                field.append(field.report(model, None))
                client.deploy(model, "v2.0.0", policy_for(model))
            client.deploy("queued", "v3.0.0", FIRST)
            field.until(lambda: all(newest_step(field, each) == stuck[each] for each in stuck))
            # when the processors are killed, and something happens to some of them meanwhile
            worker.kill()
        field.alert("alerted", "v2.0.0")
        client.cancel(of_version(field, "cancelled", "v2.0.0").hex())
        client.rollback("rolled-back")
        field.holds = lambda _model, _step: False
        with running_worker(settings, "processors"):
            field.until(lambda: all(len(ended(field, each)) > 1 for each in stuck))
            field.until(lambda: len(field.of(DeploymentSucceeded, "queued")) == 3)
            last = dict.fromkeys(models, "v2.0.0") | dict.fromkeys(others, "v1.0.0")
            last["queued"] = "v3.0.0"
            field.until(lambda: all(field.shares(each) == [(last[each], 10_000)] for each in stuck))
            yield field


@pytest.mark.parametrize("number", HELD)
def test_a_kill_in_any_step_changes_nothing_of_the_end(killed: Field, number: int) -> None:
    model = f"step-{number}"
    deployment = of_version(killed, model, "v2.0.0")
    assert passed(killed, model, deployment) == list(STEPS)
    assert [each.version for each in killed.of(DeploymentSucceeded, model)] == ["v1.0.0", "v2.0.0"]
    assert killed.shares(model) == [("v2.0.0", 10_000)]
    assert_nothing_is_said_in_two_ways(killed, model)


@pytest.mark.parametrize(
    ("model", "end"),
    [
        ("alerted", DeploymentRolledBack),
        ("cancelled", DeploymentCancelled),
        ("rolled-back", DeploymentRolledBack),
    ],
)
def test_what_happens_while_the_processors_are_dead_is_seen_to_when_they_live(
    killed: Field, model: str, end: type[Fact]
) -> None:
    (found,) = killed.of(end, model)
    assert getattr(found, "deployment_id", None) == of_version(killed, model, "v2.0.0")
    assert killed.shares(model) == [("v1.0.0", 10_000)]
    assert_nothing_is_said_in_two_ways(killed, model)


def test_the_queue_goes_on_after_a_kill(killed: Field) -> None:
    assert [each.version for each in killed.of(DeploymentSucceeded, "queued")] == [
        "v1.0.0",
        "v2.0.0",
        "v3.0.0",
    ]
    assert killed.shares("queued") == [("v3.0.0", 10_000)]


def passed(field: Field, model: str, deployment: EventId) -> list[DeploymentStep]:
    """The steps of a deployment, all of which passed."""
    steps = [each for each in field.of(StepCompleted, model) if each.deployment_id == deployment]
    assert {each.verdict for each in steps} == {StepVerdict.PASSED}, steps
    return [each.step for each in sorted(steps, key=lambda each: each.number)]


def of_version(field: Field, model: str, version: str) -> EventId:
    """The deployment of a version."""
    return next(
        each.deployment_id for each in field.of(StepStarted, model) if each.version == version
    )


def newest_step(field: Field, model: str) -> int:
    """The number of the step of v2.0.0 that began last."""
    numbers = [each.number for each in field.of(StepStarted, model) if each.version == "v2.0.0"]
    return max(numbers, default=-1)


def is_stuck(field: Field, stuck: dict[str, int], model: str, step: DeploymentStep) -> bool:
    """Whether a candidate must stay in this step."""
    number = newest_step(field, model)
    return number == stuck.get(model) and STEPS[number] is step


def ended(field: Field, model: str) -> list[Fact]:
    """The ends of a model's deployments."""
    return [
        *field.of(DeploymentSucceeded, model),
        *field.of(DeploymentCancelled, model),
        *field.of(DeploymentRolledBack, model),
    ]


def assert_nothing_is_said_in_two_ways(field: Field, model: str) -> None:
    """A fact that came twice is the same fact."""
    contents: dict[EventId, Fact] = {}
    for fact, _ in field.facts:
        if getattr(fact, "model_id", None) == model:
            assert contents.setdefault(fact.event_id, fact) == fact
