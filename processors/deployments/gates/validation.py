"""Judges whether the file of a version is what it says it is and runs: every check must pass."""

from collections.abc import Mapping
from typing import Any

from modeltrail.processors.deployments.evidence import objects_in
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import StepVerdict

_SHOWN = 5


def judge_validation(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """PASSED where no check failed, and the golden outputs were compared if the policy needs it."""
    checks = objects_in(evidence, "checks")
    outcomes = {str(check.get("name")): str(check.get("outcome")) for check in checks}
    failed = [check for check in checks if check.get("outcome") not in ("PASSED", "SKIPPED")]
    judged: dict[str, object] = {
        "passed": sorted(name for name, outcome in outcomes.items() if outcome == "PASSED"),
        "failed": sorted(str(check.get("name")) for check in failed),
        "skipped": sorted(name for name, outcome in outcomes.items() if outcome == "SKIPPED"),
    }
    if failed:
        told = "; ".join(
            f"{check.get('name')}: {check.get('detail', '')}"[:500] for check in failed[:_SHOWN]
        )
        return Judgement(
            StepVerdict.FAILED, f"{len(failed)} of {len(checks)} checks failed: {told}", judged
        )
    if "PASSED" not in outcomes.values():
        reason = "no check was made: see the worker's log, then deploy again"
        return Judgement(StepVerdict.FAILED, reason, judged)
    if policy.validation.require_golden and outcomes.get("golden") != "PASSED":
        reason = "the policy needs golden outputs, and none were compared: give golden_uri"
        return Judgement(StepVerdict.FAILED, reason, judged)
    return Judgement(
        StepVerdict.PASSED, f"all {len(checks)} checks passed or did not apply", judged
    )
