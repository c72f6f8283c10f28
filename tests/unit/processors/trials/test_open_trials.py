"""A trial is open from the start of its step to the end of it, or of its deployment."""

from dataclasses import replace

import pytest

from modeltrail.processors.trials.trial import OpenTrials
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    RollbackCause,
    StepCompleted,
    StepVerdict,
)
from modeltrail.schemas.ids import EventId, Micros
from tests.unit.processors.trials.inference_log import (
    CANDIDATE,
    DEPLOYMENT,
    SINCE_MS,
    STARTED,
    TRIAL,
)

ABOUT = (EventId(b"x" * 16), Micros(0), DEPLOYMENT, TRIAL.model_id, CANDIDATE, "production")
COMPLETED = StepCompleted(
    *ABOUT, DeploymentStep.AB_TEST, 5, StepVerdict.PASSED, "not worse", "{}", Micros(0)
)
ENDS = (
    DeploymentSucceeded(*ABOUT),
    DeploymentFailed(*ABOUT, DeploymentStep.AB_TEST, "worse"),
    DeploymentCancelled(*ABOUT, EventId(bytes(16)), "somebody", "no reason"),
    DeploymentRolledBack(*ABOUT, RollbackCause.ALERT, "too slow"),
)


def after(*facts: Fact) -> OpenTrials:
    trials = OpenTrials()
    for offset, fact in enumerate(facts):
        trials.absorb(Appended(0, offset, SINCE_MS + offset, fact))
    return trials


def test_a_step_that_compares_opens_a_trial_at_its_append_time() -> None:
    assert after(STARTED).trials() == {(DEPLOYMENT, 5): TRIAL}


def test_a_step_that_compares_nothing_opens_none() -> None:
    assert after(replace(STARTED, trial_metrics=())).trials() == {}


@pytest.mark.parametrize("end", [COMPLETED, *ENDS], ids=lambda end: type(end).__name__)
def test_the_end_of_the_step_or_the_deployment_closes_it_for_good(end: Fact) -> None:
    assert after(STARTED, end).trials() == {}
    assert after(STARTED, end, STARTED).trials() == {}


def test_a_start_that_comes_twice_does_not_begin_anew() -> None:
    assert after(STARTED, STARTED).trials()[DEPLOYMENT, 5].since_ms == SINCE_MS


def test_the_next_step_is_another_trial() -> None:
    following = replace(STARTED, number=6)
    assert list(after(STARTED, COMPLETED, following).trials()) == [(DEPLOYMENT, 6)]


def test_the_end_of_another_deployment_changes_nothing() -> None:
    other = replace(ENDS[0], deployment_id=EventId(b"another-of-them!"))
    assert after(STARTED, other).trials() == {(DEPLOYMENT, 5): TRIAL}
