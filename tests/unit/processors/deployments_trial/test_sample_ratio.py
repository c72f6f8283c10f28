"""Sessions that do not fall into the arms as they should are told, however often one looks."""

import math

import numpy as np
import pytest

from modeltrail.processors.deployments.trial.sample_ratio import sample_ratio

ALPHA = 0.01


def test_no_session_is_no_evidence() -> None:
    assert sample_ratio(0, 0, 0.5).log_evidence == 0


def test_evidence_is_that_of_a_beta_mixture() -> None:
    """One session: the mixture's mean is the share itself, so it cannot speak for either."""
    assert sample_ratio(0, 1, 0.2).log_evidence == pytest.approx(0, abs=1e-9)
    twice = (20 * 21) / (100 * 101) / 0.2**2
    assert sample_ratio(0, 2, 0.2).log_evidence == pytest.approx(math.log(twice))


@pytest.mark.parametrize(("champion", "candidate", "share"), [(400, 300, 0.5), (1000, 10, 0.05)])
def test_an_arm_that_loses_sessions_is_told(champion: int, candidate: int, share: float) -> None:
    assert sample_ratio(champion, candidate, share).mismatch(ALPHA)


@pytest.mark.parametrize(("champion", "candidate", "share"), [(350, 350, 0.5), (960, 50, 0.05)])
def test_arms_as_they_should_be_are_not(champion: int, candidate: int, share: float) -> None:
    assert not sample_ratio(champion, candidate, share).mismatch(ALPHA)


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_false_alarms_stay_under_alpha_with_a_look_after_each_session(share: float) -> None:
    chance = np.random.default_rng(11)
    runs, sessions = 200, 300
    alarms = 0
    for _ in range(runs):
        candidate = np.cumsum(chance.random(sessions) < share).tolist()
        looks = (
            sample_ratio(total - mine, mine, share).mismatch(0.05)
            for total, mine in enumerate(candidate, 1)
        )
        alarms += any(looks)
    assert alarms / runs < 0.05
