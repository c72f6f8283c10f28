"""How often a trial decides wrongly, looked at after every session, and what it can find."""

from statistics import median

import numpy as np
import pytest

from modeltrail.processors.deployments.gates.ab_test import decide_ab_test
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.schemas.deployment_policy import policy_from_yaml
from modeltrail.schemas.events import StepVerdict
from tests.property.processors.deployments_trial.clustered_trials import (
    ALPHA,
    Levels,
    Outcome,
    Setting,
    frames_of,
    lognormal_levels,
    looked_at,
    normal_levels,
    rare_levels,
    simulate,
)
from tests.unit.processors.deployments_trial.trial_facts import measured, session

EXPERIMENTS = 1000
LEVELS = pytest.mark.parametrize("levels", [normal_levels, lognormal_levels, rare_levels])


def outcomes(setting: Setting, experiments: int) -> list[Outcome]:
    return [simulate(setting, seed) for seed in range(experiments)]


def wrong_share(found: list[Outcome]) -> float:
    wrong = [o for o in found if o.within_after is not None or o.beyond_after is not None]
    return len(wrong) / len(found)


@LEVELS
def test_few_of_a_hundred_trials_without_a_difference_find_one(levels: Levels) -> None:
    assert wrong_share(outcomes(Setting(levels, sessions=400), 100)) <= ALPHA


@pytest.mark.prove
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
@LEVELS
def test_of_a_thousand_trials_without_a_difference_fewer_than_alpha_find_one(
    levels: Levels, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """A/A: both arms run the same; any difference that is found is a false positive."""
    rate = wrong_share(outcomes(Setting(levels, sessions=2000, share=share), EXPERIMENTS))
    with capsys.disabled():
        print(f"\nA/A, {levels.__name__}, share {share:.0%}: false positives {rate:.1%}")
    assert rate < ALPHA


@pytest.mark.prove
@LEVELS
def test_of_a_thousand_candidates_at_the_margin_fewer_than_alpha_are_decided_on(
    levels: Levels, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hardest candidate to judge is worse by just as much as is let through."""
    at_margin = Setting(levels, sessions=2000, slower=0.05, margin=0.05)
    rate = wrong_share(outcomes(at_margin, EXPERIMENTS))
    with capsys.disabled():
        print(f"\nat the margin, {levels.__name__}: wrongly decided {rate:.1%}")
    assert rate < ALPHA


def test_most_trials_that_take_frames_for_independent_find_a_difference() -> None:
    """What the session as the unit is for: the same test on frames errs nearly always."""
    chance = np.random.default_rng(3)
    wrong = 0
    for _ in range(100):
        champion = frames_of(normal_levels(chance, 100), chance).ravel()
        candidate = frames_of(normal_levels(chance, 100), chance).ravel()
        found = looked_at(np.column_stack((champion, candidate)), 0.0)
        wrong += found != Outcome(None, None)
    assert wrong > 50


@pytest.mark.prove
def test_power_at_a_margin_of_5_percent(capsys: pytest.CaptureFixture[str]) -> None:
    """Sessions scatter by 18 % of their mean; at most 1,000 of each arm."""
    equal = outcomes(Setting(normal_levels, 2000, margin=0.05), EXPERIMENTS)
    slower = outcomes(Setting(normal_levels, 2000, slower=0.1, margin=0.05), EXPERIMENTS)
    passed = [o.within_after for o in equal if o.within_after and not o.beyond_after]
    failed = [o.beyond_after for o in slower if o.beyond_after and not o.within_after]
    with capsys.disabled():
        for name, found in (("equal, PASSED", passed), ("10 % slower, FAILED", failed)):
            share, after = len(found) / EXPERIMENTS, median(found)
            print(f"\npower, candidate {name}: {share:.1%}, half of them by {after:.0f} pairs")
    assert len(passed) > 0.9 * EXPERIMENTS
    assert len(failed) > 0.9 * EXPERIMENTS


def test_the_gate_itself_errs_in_few_trials_when_asked_after_each_session() -> None:
    """The same through the gate: values of sessions as facts, one after the other."""
    asked = policy_from_yaml("ab_test: {goal: BETTER, minimum_sessions: 10}")
    wrong = 0
    for seed in range(40):
        chance = np.random.default_rng(seed)
        candidate = chance.random(100) < 0.5
        values = frames_of(lognormal_levels(chance, 100), chance).mean(axis=1)
        summary, begun = TrialSummary(), [0, 0]
        for number, (is_candidate, value) in enumerate(zip(candidate, values, strict=True)):
            begun[int(is_candidate)] += 1
            arm = "candidate" if is_candidate else "champion"
            counted = [session(number, arm, float(value))]
            fact = measured(counted, begun=(begun[0], begun[1]), through=number)
            summary = summary.absorb(fact)
            found = decide_ab_test(summary, asked, 1.0)
            if found is not None:
                assert found.verdict in (StepVerdict.PASSED, StepVerdict.FAILED)
                wrong += 1
                break
    assert wrong <= 2
