"""Judges the newest assessment of a version: bias, privacy and transparency."""

from collections.abc import Mapping
from typing import Any

from modeltrail.processors.deployments.evidence import optional_number
from modeltrail.processors.deployments.gates.data_quality import age_in_days
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import StepVerdict

_RISKS = ("LOW", "MEDIUM", "HIGH")


def judge_ethics(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """PASSED where nothing is above its limit; what was not judged does not pass."""
    wanted = policy.ethics
    if wanted is None:
        return Judgement(StepVerdict.SKIPPED, "the policy does not ask for it", {})
    found = evidence.get("assessment")
    if not isinstance(found, Mapping):
        reason = "the version was never assessed: `modeltrail ethics assess` does it"
        return Judgement(StepVerdict.FAILED, reason, {})
    transparency = optional_number(found.get("transparency_score")) or 0.0
    age_days = age_in_days(evidence, found)
    limits = {
        "bias": (found.get("bias_risk"), wanted.maximum_bias_risk),
        "privacy": (found.get("privacy_risk"), wanted.maximum_privacy_risk),
    }
    problems = [
        f"risk of {name} is {risk}, {most} is allowed"
        for name, (risk, most) in limits.items()
        if risk not in _RISKS or _RISKS.index(risk) > _RISKS.index(most)
    ]
    if transparency < wanted.minimum_transparency:
        problems.append(f"transparency is {transparency:g} of {wanted.minimum_transparency:g}")
    if wanted.maximum_age_days is not None and age_days > wanted.maximum_age_days:
        problems.append(
            f"the assessment is {age_days:.1f} days old, {wanted.maximum_age_days:g} are allowed"
        )
    judged: dict[str, object] = {
        **{f"{name}_risk": risk for name, (risk, _) in limits.items()},
        "transparency_score": transparency,
        "age_days": age_days,
    }
    if problems:
        reason = f"{'; '.join(problems)}: follow its recommendations and assess it again"
        return Judgement(StepVerdict.FAILED, reason, judged)
    told = ", ".join(f"{name} {risk}" for name, (risk, _) in limits.items())
    return Judgement(StepVerdict.PASSED, f"{told}, transparency {transparency:g}", judged)
