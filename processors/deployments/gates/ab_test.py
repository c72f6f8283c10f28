"""Judges the candidate against production under real traffic, by sessions, at every look.

The trial is looked at whenever news come. It ends PASSED or FAILED once the confidence sequence of
the metric lies wholly within or beyond the margin, ABORTED once a guardrail is broken or the arms
do not get the sessions that they should, and INCONCLUSIVE once it has all the sessions or time that
the policy gives it. It does not pass while a guardrail has too few sessions to be seen at all. The
metric is wrongly decided on with a probability of at most `alpha`, the guardrails together wrongly
stop with at most `alpha`, the sample ratio with at most `srm_alpha`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, optional_number
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.processors.deployments.trial.comparison import Comparison, Question, compare
from modeltrail.processors.deployments.trial.guardrail import Watched, told_of, unseen_of, watch
from modeltrail.processors.deployments.trial.sample_ratio import SampleRatio, sample_ratio
from modeltrail.processors.deployments.trial.summary import (
    MOST_SESSIONS,
    TrialSummary,
    most_pairs,
    summary_of,
)
from modeltrail.schemas.deployment_policy import (
    AbTestPolicy,
    DeploymentPolicy,
    Goal,
    share_of_percent,
)
from modeltrail.schemas.events import StepVerdict
from modeltrail.schemas.routing import WHOLE


def ab_test_metrics(policy: DeploymentPolicy) -> tuple[str, ...]:
    """The metrics that the trial measures: the one that decides, then those of the guardrails."""
    asked = _asked(policy)
    return tuple(dict.fromkeys((asked.metric, *(each.metric for each in asked.guardrails))))


def decide_ab_test(
    summary: TrialSummary, policy: DeploymentPolicy, elapsed_s: float
) -> Judgement | None:
    """The end of the trial; None: it goes on.

    Args:
        summary: what is known of it.
        policy: has an `ab_test`.
        elapsed_s: time since the step started, s.
    """
    asked = _asked(policy)
    found, judged, _ = _look(summary, asked, elapsed_s, share_of_percent(asked.share_percent))
    return Judgement(*found, judged) if found else None


def judge_ab_test(evidence: Mapping[str, Any], policy: DeploymentPolicy) -> Judgement:
    """Judge a trial by its evidence alone; what does not decide it is INCONCLUSIVE.

    Raises:
        EvidenceUnreadable: the evidence is not of a trial.
    """
    if skipped := evidence.get("skipped"):
        return Judgement(StepVerdict.SKIPPED, str(skipped), {})
    if policy.ab_test is None:
        return Judgement(StepVerdict.SKIPPED, "the policy asks for no A/B test", {})
    held_s = optional_number(evidence.get("held_s"))
    if held_s is None:
        raise EvidenceUnreadable("the evidence of the trial does not say how long it was (held_s)")
    # Sessions fell into the arms by the share of then, whatever another policy asks for.
    share = optional_number(evidence.get("share"))
    if share is None or not 0 < share < WHOLE:
        share = share_of_percent(policy.ab_test.share_percent)
    summary = summary_of(evidence.get("trial"))
    found, judged, compared = _look(summary, policy.ab_test, held_s, share)
    undecided = f"these sessions do not decide under this policy: {compared.told()}"
    return Judgement(*(found or (StepVerdict.INCONCLUSIVE, undecided)), judged)


_Found = tuple[StepVerdict, str] | None


def _asked(policy: DeploymentPolicy) -> AbTestPolicy:
    if policy.ab_test is None:
        raise ValueError("the policy asks for no A/B test: add `ab_test: {}` to it")
    return policy.ab_test


def _look(
    summary: TrialSummary, asked: AbTestPolicy, elapsed_s: float, share: float
) -> tuple[_Found, dict[str, object], Comparison]:
    pairs = summary.pairs()
    ratio = sample_ratio(*summary.sessions_begun(), share / WHOLE)
    watched = watch(pairs, summary.metrics, asked.guardrails, asked.alpha)
    # A margin says how much worse is let through: what must be better gets none.
    margin = asked.margin if asked.goal is Goal.NOT_WORSE else 0.0
    question = Question(asked.metric, asked.direction, margin, asked.alpha)
    compared = compare(pairs, summary.metrics, question)
    found = (
        _mismatch(ratio, asked)
        or _broken(told_of(watched))
        or _answer(compared, asked, watched)
        or _exhausted(compared, asked, watched, len(pairs), summary, elapsed_s)
    )
    judged: dict[str, object] = {
        "goal": asked.goal.value,
        "compared": compared.judged(),
        "guardrails": [each.judged() for each in watched],
        "sample_ratio": ratio.judged(asked.srm_alpha),
        "counted": summary.counted()._asdict(),
        "elapsed_s": elapsed_s,
    }
    return found, judged, compared


def _mismatch(ratio: SampleRatio, asked: AbTestPolicy) -> _Found:
    if not ratio.mismatch(asked.srm_alpha):
        return None
    return StepVerdict.ABORTED, (
        f"sample-ratio mismatch: {ratio.candidate} sessions of the candidate and {ratio.champion} "
        f"of the champion began, at a share of {100 * ratio.share:g} %: see whether nodes fail "
        "to serve one of them"
    )


def _broken(told: str) -> _Found:
    return (StepVerdict.ABORTED, f"guardrail broken: {told}") if told else None


def _answer(compared: Comparison, asked: AbTestPolicy, watched: Sequence[Watched]) -> _Found:
    if compared.excess.pairs < asked.minimum_sessions:
        return None
    better = asked.goal is Goal.BETTER
    if compared.within() and not unseen_of(watched):
        return StepVerdict.PASSED, f"{'better' if better else 'not worse'}: {compared.told()}"
    if compared.beyond():
        return StepVerdict.FAILED, f"worse: {compared.told()}"
    return None


def _exhausted(
    compared: Comparison,
    asked: AbTestPolicy,
    watched: Sequence[Watched],
    pairs: int,
    summary: TrialSummary,
    elapsed_s: float,
) -> _Found:
    counted = summary.counted()
    if pairs >= min(asked.maximum_sessions, most_pairs(len(summary.metrics))):
        why = f"{pairs} sessions of each arm"
    elif sum(counted) >= MOST_SESSIONS:
        why = f"{sum(counted)} sessions, which is as many as are kept"
    elif elapsed_s >= asked.deadline_s:
        why = f"{elapsed_s:.0f} s"
    else:
        return None
    unseen = unseen_of(watched)
    told = f"not decided after {why}: {compared.told()}{'; ' if unseen else ''}{unseen}"
    return StepVerdict.INCONCLUSIVE, told
