"""The interval of how much worse a candidate is: by hand, at its edges, and without scatter."""

import math

import numpy as np
import pytest

from modeltrail.processors.deployments.trial.confidence_sequence import (
    MIXTURE,
    Values,
    half_width,
    interval_of,
)


def bayes_factor(t: float, pairs: int) -> float:
    """Of a normal mixture over effects against none, as Gonen and others give it."""
    growth, freedom = 1 + pairs * MIXTURE, pairs - 1
    ratio = (1 + t**2 / freedom) / (1 + t**2 / freedom / growth)
    return float(ratio ** (pairs / 2) / math.sqrt(growth))


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
@pytest.mark.parametrize("pairs", [20, 100, 1000])
def test_at_the_end_of_the_interval_the_bayes_factor_is_one_over_alpha(
    pairs: int, alpha: float
) -> None:
    half = float(half_width(np.array([float(pairs)]), np.array([4.0]), alpha)[0])
    assert bayes_factor(half / math.sqrt(4.0 / pairs), pairs) == pytest.approx(1 / alpha)


def test_two_pairs_cannot_tell_anything() -> None:
    found = interval_of([Values(1.0, 2.0), Values(1.0, 3.0)], 1.0, 1, 0.05)
    assert (found.estimate, found.lower, found.upper) == (1.5, -math.inf, math.inf)


def test_no_pair_and_one_pair_tell_nothing() -> None:
    for pairs in ([], [Values(1.0, 2.0)]):
        found = interval_of(pairs, 1.0, 1, 0.05)
        assert (found.pairs, found.lower, found.upper) == (len(pairs), -math.inf, math.inf)


def test_interval_is_around_candidate_minus_a_part_of_the_champion() -> None:
    pairs = [Values(100.0 + n % 5, 120.0 + n % 7) for n in range(70)]
    found = interval_of(pairs, 1.1, 1, 0.05)
    assert found.estimate == pytest.approx(123.0 - 1.1 * 102.0)
    assert found.upper - found.estimate == pytest.approx(found.estimate - found.lower)
    assert 9 < found.lower < found.upper < 12


def test_where_higher_is_better_a_candidate_with_less_is_worse() -> None:
    pairs = [Values(30.0 + n % 3, 20.0 + n % 5) for n in range(60)]
    assert interval_of(pairs, 0.95, -1, 0.05).lower > 0
    assert interval_of(pairs, 0.95, 1, 0.05).upper < 0


def test_interval_is_the_same_for_the_same_pairs_in_any_order() -> None:
    chance = np.random.default_rng(7)
    pairs = [Values(*row) for row in chance.lognormal(sigma=3, size=(200, 2)).tolist()]
    assert interval_of(pairs, 1.05, 1, 0.05) == interval_of(pairs[::-1], 1.05, 1, 0.05)


def test_constant_arms_can_be_shown_apart_but_never_alike() -> None:
    apart = interval_of([Values(0.0, 1.0)] * 20, 1.05, 1, 0.05)
    alike = interval_of([Values(0.1, 0.1)] * 20, 1.05, 1, 0.05)
    assert apart.lower > 0
    assert alike.estimate < 0
    assert alike.upper == math.inf


@pytest.mark.parametrize(("pairs", "tells"), [(2, False), (4, False), (5, True)])
def test_a_few_like_differences_may_be_chance(pairs: int, tells: bool) -> None:
    # Both arms see an event in a third of their sessions: two pairs in a row are (no, yes) in 5 %.
    found = interval_of([Values(0.0, 1.0)] * pairs, 1.0, 1, 0.05)
    assert (found.lower > 0) is tells


def test_one_constant_arm_leaves_the_scatter_of_the_other() -> None:
    pairs = [Values(0.0, 1.0 + n % 2) for n in range(40)]
    found = interval_of(pairs, 1.05, 1, 0.05)
    assert 1 < found.lower < 1.5 < found.upper < 2
