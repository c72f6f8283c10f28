"""People ask for deployments and see how far each is, from the log alone."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import Settings
from modeltrail.producers.deployments import (
    AmbiguousDeployment,
    DeploymentClient,
    NoSuchDeployment,
    Standing,
)
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.deployment_policy import DeploymentPolicy, PolicyInvalid, policy_of
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentCancelRequested,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentSucceeded,
    Fact,
    RollbackRequested,
    StepCompleted,
    StepStarted,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId, derived_event_id
from modeltrail.schemas.topics import DEPLOYMENTS, key_of


class Scene:
    """A log in memory, and a client at it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = MemoryLog(clock=self.clock)
        ids = MemorySchemaIds()
        self.codec = Codec(ids)
        self.client = DeploymentClient(Settings(), log=self.log, schema_ids=ids, clock=self.clock)

    def say(self, kind: Any, about: EventId, **changes: Any) -> Fact:
        """Append a fact about a deployment."""
        number = changes.get("number", 0)
        field = "request_id" if kind is DeploymentRequestRefused else "deployment_id"
        fact: Fact = replace(
            example_fact(kind),
            event_id=derived_event_id(kind.__name__, about, number),
            model_id="m",
            **{field: about},
            **changes,
        )
        self.log.append(DEPLOYMENTS, key_of("m"), self.codec.encode(fact))
        return fact

    def standing(self) -> list[Standing]:
        return [each.standing for each in self.client.list()]

    def followed(self, about: EventId, count: int) -> list[str]:
        facts = (fact for fact in self.client.follow(about) if fact is not None)
        return [type(fact).__name__ for fact in islice(facts, count)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_deployment_is_asked_for_with_its_whole_policy(scene: Scene) -> None:
    scene.client.deploy("m", "v1.0.0", "production: {hold_s: 5}", "edge", "ops", "because")
    (view,) = scene.client.list()
    request = view.request
    assert (request.model_id, request.version, request.environment) == ("m", "v1.0.0", "edge")
    assert (request.requested_by, request.reason) == ("ops", "because")
    assert policy_of(request.policy_json).production.hold_s == 5
    assert view.standing is Standing.QUEUED
    scene.client.deploy("m", "v1.0.0", DeploymentPolicy())
    assert len(scene.client.list("m")) == 2
    assert scene.client.list("other") == []


def test_what_cannot_be_asked_for_is_told_and_not_appended(scene: Scene) -> None:
    with pytest.raises(PolicyInvalid, match="unknown field 'hold'"):
        scene.client.deploy("m", "v1.0.0", "production: {hold: 5}")
    with pytest.raises(InvalidFact):
        scene.client.deploy("", "v1.0.0")
    with pytest.raises(InvalidFact):
        scene.client.rollback("m", "")
    assert scene.client.list() == []


@pytest.mark.parametrize(
    ("kind", "standing"),
    [
        (DeploymentSucceeded, Standing.SUCCEEDED),
        (DeploymentFailed, Standing.FAILED),
        (DeploymentCancelled, Standing.CANCELLED),
        (DeploymentRolledBack, Standing.ROLLED_BACK),
        (DeploymentRequestRefused, Standing.REFUSED),
    ],
)
def test_steps_and_the_end_of_a_deployment_are_seen(
    scene: Scene, kind: Any, standing: Standing
) -> None:
    asked = scene.client.deploy("m", "v1.0.0")
    for number in range(2):
        scene.say(StepStarted, asked, number=number)
        assert scene.standing() == [Standing.RUNNING]
        scene.say(StepCompleted, asked, number=number)
    scene.say(StepCompleted, asked, number=7)
    end = scene.say(kind, asked)
    (view,) = scene.client.list()
    assert [step.completed is not None for step in view.steps] == [True, True]
    assert (view.standing, view.end) == (standing, end)


def test_the_first_end_holds_but_for_a_rollback_after_a_success(scene: Scene) -> None:
    asked = scene.client.deploy("m", "v1.0.0")
    scene.say(StepStarted, asked)
    scene.say(DeploymentSucceeded, asked)
    scene.say(DeploymentFailed, asked)
    assert scene.standing() == [Standing.SUCCEEDED]
    scene.say(DeploymentRolledBack, asked)
    assert scene.standing() == [Standing.ROLLED_BACK]


def test_a_deployment_is_named_by_the_beginning_of_its_id(scene: Scene) -> None:
    asked = scene.client.deploy("m", "v1.0.0")
    scene.client.deploy("m", "v2.0.0")
    cancel = scene.client.cancel(asked.hex()[:20], "ops")
    assert scene.followed(asked, 2) == [
        DeploymentRequested.__name__,
        DeploymentCancelRequested.__name__,
    ]
    assert scene.followed(cancel, 1) == [DeploymentCancelRequested.__name__]
    with pytest.raises(NoSuchDeployment, match="deployments list"):
        scene.client.cancel("zz")


def test_a_beginning_that_several_ids_have_names_none(scene: Scene) -> None:
    for _ in range(17):
        scene.client.deploy("m", "v1.0.0")
    first = [each.deployment_id.hex()[0] for each in scene.client.list()]
    twice = next(digit for digit in first if first.count(digit) > 1)
    with pytest.raises(AmbiguousDeployment, match="give more of"):
        scene.client.cancel(twice)


def test_the_answer_to_a_rollback_is_followed_by_the_id_of_the_request(scene: Scene) -> None:
    asked = scene.client.deploy("m", "v1.0.0")
    rollback = scene.client.rollback("m", version="v1.0.0", requested_by="ops")
    scene.say(DeploymentRolledBack, asked, caused_by=rollback)
    assert scene.followed(rollback, 2) == [
        RollbackRequested.__name__,
        DeploymentRolledBack.__name__,
    ]
