"""A share of production is held, counted and guarded; it fails as soon as a guardrail does."""

import pytest

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, evidence_json
from modeltrail.processors.deployments.gates.production import (
    decide_production,
    judge_production,
    production_metrics,
)
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.schemas.deployment_policy import DeploymentPolicy, policy_from_yaml
from modeltrail.schemas.events import StepVerdict
from tests.unit.processors.deployments_trial.trial_facts import evidence, trial, values

GUARDED = "hold_s: 60, guardrails: [{metric: latency_ms, margin: 0.2}]"


def policy(text: str = "hold_s: 60") -> DeploymentPolicy:
    return policy_from_yaml(f"production: {{{text}}}")


def decided(summary: TrialSummary, asked: DeploymentPolicy, elapsed_s: float) -> StepVerdict | None:
    found = decide_production(summary, asked, elapsed_s)
    return found.verdict if found else None


def test_a_share_is_held_as_long_as_the_policy_says() -> None:
    assert decided(TrialSummary(), policy(), 59.9) is None
    assert decided(TrialSummary(), policy(), 60.0) is StepVerdict.PASSED


def test_a_share_waits_for_its_sessions_until_the_deadline() -> None:
    asked = policy("hold_s: 60, minimum_sessions: 30, deadline_s: 600")
    few, enough = trial(values(20, 90, 1), values(20, 29, 2)), trial([], values(20, 30, 2))
    assert decided(few, asked, 599.0) is None
    assert decided(few, asked, 600.0) is StepVerdict.FAILED
    assert decided(enough, asked, 61.0) is StepVerdict.PASSED


def test_a_broken_guardrail_fails_at_once() -> None:
    summary = trial(values(20, 12, 1), values(40, 12, 2))
    found = decide_production(summary, policy(GUARDED), 3.0)
    assert found is not None
    assert found.verdict is StepVerdict.FAILED
    assert "guardrail broken" in found.reason
    evidence_json(found.judged)


def test_a_guardrail_that_is_kept_lets_the_share_pass() -> None:
    summary = trial(values(20, 40, 1), values(21, 40, 2))
    assert decided(summary, policy(GUARDED), 61.0) is StepVerdict.PASSED


def test_the_evidence_alone_gives_the_same_judgement() -> None:
    summary = trial(values(20, 40, 1), values(21, 40, 2))
    found = decide_production(summary, policy(GUARDED), 61.0)
    assert judge_production(evidence(summary, 61.0), policy(GUARDED)) == found


def test_a_share_that_another_policy_would_have_held_longer_has_failed() -> None:
    judged = judge_production({"trial": None, "held_s": 61.0}, policy("hold_s: 120"))
    assert judged.verdict is StepVerdict.FAILED


def test_evidence_without_its_time_cannot_be_judged() -> None:
    with pytest.raises(EvidenceUnreadable, match="held_s"):
        judge_production({"trial": None}, policy())


def test_sessions_are_counted_even_where_nothing_guards() -> None:
    assert production_metrics(policy()) == ()
    assert production_metrics(policy("minimum_sessions: 5")) == ("latency_ms",)
    assert production_metrics(policy(GUARDED)) == ("latency_ms",)
