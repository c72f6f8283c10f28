"""The A/B test ends when it knows, when it must, and when it may not go on; and not before."""

import json

import pytest

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, evidence_json
from modeltrail.processors.deployments.gates.ab_test import (
    ab_test_metrics,
    decide_ab_test,
    judge_ab_test,
)
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.schemas.deployment_policy import DeploymentPolicy, policy_from_yaml
from modeltrail.schemas.events import StepVerdict
from tests.unit.processors.deployments_trial.trial_facts import (
    evidence,
    measured,
    session,
    trial,
    values,
)

METRIC = "latency_ms"
GUARDED = "{guardrails: [{metric: latency_ms, margin: 0.2, minimum_sessions: 10}]}"


def policy(text: str = "{}") -> DeploymentPolicy:
    return policy_from_yaml(f"ab_test: {text}")


def decided(
    summary: TrialSummary, asked: DeploymentPolicy, elapsed_s: float = 60.0
) -> StepVerdict | None:
    found = decide_ab_test(summary, asked, elapsed_s)
    return found.verdict if found else None


def test_a_trial_without_sessions_goes_on() -> None:
    assert decide_ab_test(TrialSummary(), policy(GUARDED), 1.0) is None


def test_a_candidate_as_fast_as_the_champion_passes_as_not_worse() -> None:
    assert decided(trial(values(20, 60, 1), values(20, 60, 2)), policy()) is StepVerdict.PASSED


def test_a_slower_candidate_fails() -> None:
    assert decided(trial(values(20, 60, 1), values(24, 60, 2)), policy()) is StepVerdict.FAILED


def test_a_candidate_at_the_margin_is_not_decided_on() -> None:
    assert decided(trial(values(20, 60, 1), values(21, 60, 2)), policy()) is None


def test_what_must_be_better_does_not_pass_by_being_as_good() -> None:
    asked = policy("{goal: BETTER}")
    assert decided(trial(values(20, 60, 1), values(20, 60, 2)), asked) is None
    assert decided(trial(values(20, 60, 1), values(19, 60, 2)), asked) is StepVerdict.PASSED
    assert decided(trial(values(20, 60, 1), values(21, 60, 2)), asked) is StepVerdict.FAILED


def test_where_higher_is_better_less_fails() -> None:
    asked = policy("{direction: HIGHER}")
    assert decided(trial(values(25, 60, 1), values(20, 60, 2)), asked) is StepVerdict.FAILED
    assert decided(trial(values(25, 60, 1), values(25, 60, 2)), asked) is StepVerdict.PASSED


def test_nothing_is_decided_with_fewer_sessions_than_the_policy_wants() -> None:
    summary = trial(values(20, 60, 1), values(30, 60, 2))
    assert decided(summary, policy("{minimum_sessions: 61}")) is None
    assert decided(summary, policy("{minimum_sessions: 60}")) is StepVerdict.FAILED


def test_a_broken_guardrail_aborts_before_the_trial_may_decide() -> None:
    summary = trial(values(20, 12, 1), values(40, 12, 2))
    found = decide_ab_test(summary, policy(GUARDED), 5.0)
    assert found is not None
    assert found.verdict is StepVerdict.ABORTED
    assert "guardrail broken: latency_ms is 40." in found.reason


def test_a_guardrail_waits_for_its_own_sessions() -> None:
    assert decided(trial(values(20, 9, 1), values(40, 9, 2)), policy(GUARDED)) is None


def test_arms_that_do_not_get_their_sessions_abort_whatever_the_metric_says() -> None:
    summary = trial(values(20, 60, 1), values(20, 60, 2), begun=(400, 250))
    found = decide_ab_test(summary, policy(), 5.0)
    assert found is not None
    assert found.verdict is StepVerdict.ABORTED
    assert "250 sessions of the candidate and 400 of the champion" in found.reason
    assert decided(summary, policy("{share_percent: 40}")) is StepVerdict.PASSED


def test_a_trial_that_has_all_its_sessions_is_inconclusive() -> None:
    summary = trial(values(20, 60, 1), values(21, 60, 2))
    assert decided(summary, policy("{maximum_sessions: 60}")) is StepVerdict.INCONCLUSIVE
    assert decided(summary, policy("{maximum_sessions: 61}")) is None


def test_a_trial_that_has_had_its_time_is_inconclusive() -> None:
    summary = trial(values(20, 60, 1), values(21, 60, 2))
    assert decided(summary, policy(), 3600.0) is StepVerdict.INCONCLUSIVE
    assert decided(TrialSummary(), policy(), 3600.0) is StepVerdict.INCONCLUSIVE


def test_an_answer_at_the_deadline_is_an_answer() -> None:
    summary = trial(values(20, 60, 1), values(24, 60, 2))
    assert decided(summary, policy(), 1e6) is StepVerdict.FAILED


@pytest.mark.parametrize("slower", [0.0, 4.0])
def test_the_evidence_alone_gives_the_same_judgement(slower: float) -> None:
    summary = trial(values(20, 60, 1), values(20 + slower, 60, 2))
    found = decide_ab_test(summary, policy(GUARDED), 60.0)
    assert judge_ab_test(evidence(summary), policy(GUARDED)) == found


def test_the_evidence_can_be_judged_by_another_policy() -> None:
    summary = trial(values(20, 60, 1), values(21, 60, 2))
    strict = judge_ab_test(evidence(summary), policy("{margin: 0.0}"))
    lenient = judge_ab_test(evidence(summary), policy("{margin: 0.2}"))
    unsure = judge_ab_test(evidence(summary), policy())
    verdicts = [judgement.verdict for judgement in (strict, lenient, unsure)]
    assert verdicts == [StepVerdict.FAILED, StepVerdict.PASSED, StepVerdict.INCONCLUSIVE]


def test_evidence_is_judged_by_the_share_that_sessions_were_given_by() -> None:
    summary = trial(values(20, 200, 1), values(20, 200, 2))
    ran_at_half = {**evidence(summary), "share": 5000}
    other = policy("{share_percent: 20}")
    assert judge_ab_test(ran_at_half, other).verdict is StepVerdict.PASSED


@pytest.mark.parametrize("seen_by", ["neither arm", "the champion alone"])
def test_a_guardrail_that_nobody_could_watch_lets_nothing_pass(seen_by: str) -> None:
    # given a candidate as fast as the champion whose faces have no score
    score = None if seen_by == "neither arm" else 0.9
    sessions = [
        each
        for n, (mine, other) in enumerate(zip(values(20, 60, 1), values(20, 60, 2), strict=True))
        for each in (
            session(2 * n, "champion", mine, score),
            session(2 * n + 1, "candidate", other, None),
        )
    ]
    metrics = ("latency_ms", "detection_score")
    summary = TrialSummary().absorb(measured(sessions, begun=(60, 60), metrics=metrics))
    asked = policy("{guardrails: [{metric: detection_score, direction: HIGHER}]}")
    # when it is looked at, it goes on; and at the end it is known that it was not watched
    assert decided(summary, policy()) is StepVerdict.PASSED
    assert decided(summary, asked) is None
    found = decide_ab_test(summary, asked, 3600.0)
    assert found is not None
    assert found.verdict is StepVerdict.INCONCLUSIVE
    assert "guardrail detection_score has 0 of 10 pairs" in found.reason


def test_what_was_judged_is_finite_json_even_without_sessions() -> None:
    for found in (
        decide_ab_test(TrialSummary(), policy(GUARDED), 1e6),
        judge_ab_test(evidence(TrialSummary()), policy(GUARDED)),
    ):
        assert isinstance(found, Judgement)
        assert json.loads(evidence_json(found.judged))["compared"]["excess"]["lower"] is None


def test_a_trial_that_was_skipped_or_not_asked_for_is_skipped() -> None:
    skipped = judge_ab_test({"skipped": "there is no champion"}, policy())
    assert skipped == Judgement(StepVerdict.SKIPPED, "there is no champion", {})
    assert judge_ab_test({}, DeploymentPolicy()).verdict is StepVerdict.SKIPPED


def test_evidence_without_its_time_cannot_be_judged() -> None:
    with pytest.raises(EvidenceUnreadable, match="held_s"):
        judge_ab_test({"trial": None}, policy())


def test_a_policy_without_a_trial_cannot_decide_one() -> None:
    with pytest.raises(ValueError, match="add `ab_test"):
        decide_ab_test(TrialSummary(), DeploymentPolicy(), 1.0)


def test_the_trial_measures_what_decides_and_what_guards_once_each() -> None:
    asked = policy("{guardrails: [{metric: faces_unmasked}, {metric: latency_ms}]}")
    assert ab_test_metrics(asked) == (METRIC, "faces_unmasked")
