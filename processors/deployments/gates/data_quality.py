"""Judges the reference profile of a version: drift in production is measured against it."""

from collections.abc import Mapping
from typing import Any

from modeltrail.processors.deployments.evidence import optional_number
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import StepVerdict

DAY_US = 86_400_000_000


def judge_data_quality(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """PASSED where there is a profile with enough rows, all features, and not too old."""
    wanted = policy.data_quality
    if wanted is None:
        return Judgement(StepVerdict.SKIPPED, "the policy does not ask for it", {})
    profile = evidence.get("profile")
    if not isinstance(profile, Mapping):
        reason = "the version has no reference profile: set one with set_reference_profile"
        return Judgement(StepVerdict.FAILED, reason, {})
    rows = optional_number(profile.get("rows")) or 0.0
    missing = sorted(set(wanted.features) - set(profile.get("features", ())))
    age_days = age_in_days(evidence, profile)
    judged: dict[str, object] = {"rows": rows, "missing": missing, "age_days": age_days}
    problems = []
    if rows < wanted.minimum_rows:
        problems.append(f"it has {rows:.0f} rows of {wanted.minimum_rows}")
    if missing:
        problems.append(f"it lacks {', '.join(missing)}")
    if wanted.maximum_age_days is not None and age_days > wanted.maximum_age_days:
        problems.append(f"it is {age_days:.1f} days old, {wanted.maximum_age_days:g} are allowed")
    if problems:
        reason = f"the reference profile: {'; '.join(problems)}; profile newer or more data"
        return Judgement(StepVerdict.FAILED, reason, judged)
    return Judgement(StepVerdict.PASSED, f"the reference profile has {rows:.0f} rows", judged)


def age_in_days(evidence: Mapping[str, Any], of: Mapping[str, Any]) -> float:
    """How old something was when the step was judged, days."""
    as_of = optional_number(evidence.get("as_of_us")) or 0.0
    return max(as_of - (optional_number(of.get("at_us")) or 0.0), 0.0) / DAY_US
