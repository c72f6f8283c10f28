"""Gives the verdict of a step from its evidence and a policy: then, or years later under another.

judge(completed.step, evidence_of(completed.evidence_json), policy_from_yaml(text))
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from modeltrail.processors.deployments.evidence import EvidenceUnreadable
from modeltrail.processors.deployments.gates.ab_test import judge_ab_test
from modeltrail.processors.deployments.gates.data_quality import judge_data_quality
from modeltrail.processors.deployments.gates.ethics import judge_ethics
from modeltrail.processors.deployments.gates.performance import judge_performance
from modeltrail.processors.deployments.gates.production import judge_production
from modeltrail.processors.deployments.gates.staging import judge_staging
from modeltrail.processors.deployments.gates.validation import judge_validation
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import DeploymentStep, StepVerdict

Gate = Callable[[Mapping[str, Any], DeploymentPolicy], Judgement]

_GATES: Mapping[DeploymentStep, Gate] = MappingProxyType(
    {
        DeploymentStep.VALIDATION: judge_validation,
        DeploymentStep.PERFORMANCE: judge_performance,
        DeploymentStep.DATA_QUALITY: judge_data_quality,
        DeploymentStep.ETHICS: judge_ethics,
        DeploymentStep.STAGING: judge_staging,
        DeploymentStep.AB_TEST: judge_ab_test,
        DeploymentStep.PRODUCTION: judge_production,
    }
)


def judge(step: DeploymentStep, evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """The judgement of a step; evidence that cannot be read lets nothing through.

    Args:
        step: which step.
        evidence: what a StepCompleted holds, or what is known so far.
        policy: the policy to judge by.
    """
    gate = _GATES.get(step)
    if gate is None:
        reason = f"the step {step} is not known here: upgrade modeltrail"
        return Judgement(StepVerdict.UNKNOWN, reason, {})
    if unanswered := evidence.get("unanswered"):
        return Judgement(StepVerdict.FAILED, str(unanswered), {})
    try:
        return gate(evidence, policy)
    except (EvidenceUnreadable, KeyError, TypeError, ValueError, AttributeError) as error:
        return Judgement(StepVerdict.FAILED, f"{error}"[:1000], {})
