"""Judges a share of production: held long enough, on enough sessions, with every guardrail kept."""

from collections.abc import Mapping
from typing import Any

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, optional_number
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.processors.deployments.trial.guardrail import told_of, watch
from modeltrail.processors.deployments.trial.summary import (
    MOST_SESSIONS,
    TrialSummary,
    summary_of,
)
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import StepVerdict

#: Probability that guardrails stop a share wrongly, all of them in all looks together.
_ALPHA = 0.05


def production_metrics(policy: DeploymentPolicy) -> tuple[str, ...]:
    """The metrics that a share is watched by; where only sessions are counted, the latency."""
    metrics = tuple(guardrail.metric for guardrail in policy.production.guardrails)
    return metrics or (("latency_ms",) if policy.production.minimum_sessions else ())


def decide_production(
    summary: TrialSummary, policy: DeploymentPolicy, elapsed_s: float
) -> Judgement | None:
    """The end of the share; None: it is held on.

    A broken guardrail fails at once. At a share of 100 % the champion has no sessions: guardrails
    then rest on those that came before its nodes followed, and alerts watch the rest.

    Args:
        summary: what is known of the sessions at this share.
        policy: what is asked.
        elapsed_s: time since the share was set, s.
    """
    asked = policy.production
    watched = watch(summary.pairs(), summary.metrics, asked.guardrails, _ALPHA)
    counted = summary.counted()
    sessions = counted.candidate
    judged: dict[str, object] = {
        "counted": counted._asdict(),
        "guardrails": [each.judged() for each in watched],
        "elapsed_s": elapsed_s,
    }
    if told := told_of(watched):
        return Judgement(StepVerdict.FAILED, f"guardrail broken: {told}", judged)
    # No more than are kept can be waited for.
    enough = sessions >= asked.minimum_sessions or sum(counted) >= MOST_SESSIONS
    if elapsed_s >= asked.hold_s and enough:
        reason = f"held for {elapsed_s:.0f} s with {sessions} sessions, every guardrail kept"
        return Judgement(StepVerdict.PASSED, reason, judged)
    if elapsed_s >= asked.deadline_s:
        reason = (
            f"only {sessions} of {asked.minimum_sessions} sessions in {elapsed_s:.0f} s: give it "
            "more traffic, or ask for fewer (production.minimum_sessions)"
        )
        return Judgement(StepVerdict.FAILED, reason, judged)
    return None


def judge_production(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """Judge a share by its evidence alone; one that was not held long enough has FAILED.

    Raises:
        EvidenceUnreadable: the evidence is not of a share.
    """
    held_s = optional_number(evidence.get("held_s"))
    if held_s is None:
        raise EvidenceUnreadable("the evidence does not say how long the share was held (held_s)")
    summary = summary_of(evidence.get("trial"))
    decided = decide_production(summary, policy, held_s)
    if decided is not None:
        return decided
    reason = (
        f"held for {held_s:.0f} s with {summary.counted().candidate} sessions: the policy asks for "
        f"{policy.production.hold_s:g} s and {policy.production.minimum_sessions}"
    )
    return Judgement(StepVerdict.FAILED, reason, {})
