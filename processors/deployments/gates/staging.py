"""Judges whether the nodes of the staging environment run the very bytes that were registered."""

from collections.abc import Mapping
from typing import Any

from modeltrail.processors.deployments.evidence import objects_in
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import StepVerdict

_SHOWN = 5


def judge_staging(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """PASSED where every live node verified it; SKIPPED where none is there and none is needed.

    Live nodes are those that follow the model.
    """
    needed = policy.staging.minimum_nodes
    verified = len(objects_in(evidence, "nodes"))
    missing = [str(node) for node in evidence.get("missing", ())]
    failing = [str(node) for node in evidence.get("failing", ())]
    judged: dict[str, object] = {"verified": verified, "live": verified + len(missing)}
    if skipped := evidence.get("skipped"):
        return Judgement(StepVerdict.SKIPPED, str(skipped), judged)
    if missing:
        what = "could not load it" if failing else "did not say that they run it"
        shown = ", ".join((failing or missing)[:_SHOWN])
        return Judgement(
            StepVerdict.FAILED,
            f"{len(failing or missing)} of {verified + len(missing)} live nodes {what} ({shown}): "
            "see what they log",
            judged,
        )
    if verified < needed:
        reason = f"{verified} live nodes verified it, {needed} are needed: start more that serve it"
        return Judgement(StepVerdict.FAILED, reason, judged)
    if not verified:
        where = policy.staging.environment
        reason = f"no live node in {where} serves the model, and the policy needs none"
        return Judgement(StepVerdict.SKIPPED, reason, judged)
    return Judgement(StepVerdict.PASSED, f"all {verified} live nodes verified it", judged)
