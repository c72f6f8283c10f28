"""Answers which steps a deployment takes, in order, from its policy alone."""

from dataclasses import dataclass
from functools import lru_cache

from modeltrail.processors.deployments.gates.ab_test import ab_test_metrics
from modeltrail.processors.deployments.gates.production import production_metrics
from modeltrail.schemas.deployment_policy import (
    DeploymentPolicy,
    PolicyInvalid,
    policy_of,
    share_of_percent,
)
from modeltrail.schemas.events import DeploymentStep
from modeltrail.schemas.routing import WHOLE

NO_CHANGE = -1
_CACHED_POLICIES = 256


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step before it begins.

    Attributes:
        step: which.
        share: traffic of the candidate from then on, 1/10000; NO_CHANGE: as it was.
        deadline_s: its longest time, s.
        metrics: whose values by session it compares.
        frames: measurements of a session.
    """

    step: DeploymentStep
    share: int
    deadline_s: float
    metrics: tuple[str, ...] = ()
    frames: int = 0


def plan_of(policy: DeploymentPolicy, *, has_champion: bool) -> tuple[PlannedStep, ...]:
    """The steps; without a champion there is nothing to compare with or to share traffic with."""
    steps = [
        PlannedStep(DeploymentStep.VALIDATION, NO_CHANGE, policy.validation.deadline_s),
        PlannedStep(DeploymentStep.PERFORMANCE, NO_CHANGE, policy.performance.deadline_s),
    ]
    if policy.data_quality is not None:
        steps.append(PlannedStep(DeploymentStep.DATA_QUALITY, NO_CHANGE, 0.0))
    if policy.ethics is not None:
        steps.append(PlannedStep(DeploymentStep.ETHICS, NO_CHANGE, 0.0))
    steps.append(PlannedStep(DeploymentStep.STAGING, NO_CHANGE, policy.staging.deadline_s))
    if policy.ab_test is not None and has_champion:
        trial = policy.ab_test
        steps.append(
            PlannedStep(
                DeploymentStep.AB_TEST,
                share_of_percent(trial.share_percent),
                trial.deadline_s,
                ab_test_metrics(policy),
                trial.frames_per_session,
            )
        )
    return (*steps, *_production(policy, has_champion))


@lru_cache(maxsize=_CACHED_POLICIES)
def policy_in_log(policy_json: str) -> DeploymentPolicy:
    """The policy of a deployment that has begun, whatever the rules for policies say today."""
    try:
        return policy_of(policy_json)
    except PolicyInvalid:
        return DeploymentPolicy()


def _production(policy: DeploymentPolicy, has_champion: bool) -> list[PlannedStep]:
    wanted = policy.production
    metrics = production_metrics(policy)
    shares = [share_of_percent(percent) for percent in wanted.shares_percent]
    return [
        PlannedStep(
            DeploymentStep.PRODUCTION,
            share,
            wanted.deadline_s,
            metrics,
            wanted.frames_per_session if metrics else 0,
        )
        for share in (shares if has_champion else [WHOLE])
    ]
