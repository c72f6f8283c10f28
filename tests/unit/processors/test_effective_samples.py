"""Autocorrelated values are worth as many independent ones as they are, shifted or not."""

import numpy as np
import pytest

from modeltrail.processors.drift.effective_samples import (
    FEWEST_BUCKETS,
    category_weights,
    rank_weights,
    values_per_independent,
)
from modeltrail.processors.drift.shares import Counts
from tests.scenario.processors.drift_streams import PER_BUCKET, Floats, Process

REFERENCE = np.full(10, 1_000)
WEIGHTS = rank_weights(REFERENCE)
HOUR = 360 * PER_BUCKET


def _counts(values: Floats) -> Counts:
    """Counts of standard normal values over deciles, shape (buckets, 10)."""
    deciles = [-1.2816, -0.8416, -0.5244, -0.2533, 0.0, 0.2533, 0.5244, 0.8416, 1.2816]
    buckets = len(values) // PER_BUCKET
    places = np.digitize(values, deciles) + 10 * np.repeat(np.arange(buckets), PER_BUCKET)
    return np.bincount(places, minlength=10 * buckets).reshape(buckets, 10)


def _values_per_independent(counts: Counts, weights: Floats) -> float:
    """Of one feature, counts of shape (buckets, bins); NaN: too few buckets."""
    return float(values_per_independent((weights @ counts.T)[None])[0])


def _worth(coefficient: float, seeds: int = 15, shift: float = 0.0) -> float:
    """The median over hours of AR(1); the last ten minutes are shifted, in standard deviations."""
    found = []
    for seed in range(seeds):
        values = Process(coefficient, 0.0, 1.0).sample(np.random.default_rng(seed), HOUR)
        values[-60 * PER_BUCKET :] += shift
        found.append(_values_per_independent(_counts(values), WEIGHTS))
    return float(np.median(found))


@pytest.mark.parametrize(("coefficient", "true"), [(0.0, 1), (0.9, 19), (0.98, 99)])
def test_the_estimate_is_near_the_integrated_autocorrelation_time(
    coefficient: float, true: float
) -> None:
    assert true * 0.85 <= _worth(coefficient) <= true * 1.4


@pytest.mark.parametrize(("coefficient", "true"), [(0.0, 1), (0.9, 19), (0.98, 99)])
def test_a_shift_of_level_is_not_taken_for_dependence(coefficient: float, true: float) -> None:
    assert _worth(coefficient, shift=1.0) <= max(true * 1.6, 4)


def test_slower_dependence_is_seen_for_its_larger_part() -> None:
    assert 250 <= _worth(0.995) <= 600


def test_few_buckets_say_nothing() -> None:
    values = Process(0.0, 0.0, 1.0).sample(np.random.default_rng(1), FEWEST_BUCKETS * PER_BUCKET)
    counts = _counts(values)

    assert _values_per_independent(counts, WEIGHTS) >= 1
    assert np.isnan(_values_per_independent(counts[1:], WEIGHTS))
    assert np.isnan(_values_per_independent(np.zeros((360, 10), int), WEIGHTS))


def test_gaps_do_not_matter() -> None:
    values = Process(0.0, 0.0, 1.0).sample(np.random.default_rng(1), 100 * PER_BUCKET)
    counts = _counts(values)
    with_gaps = np.zeros((200, 10), int)
    with_gaps[::2] = counts

    assert _values_per_independent(with_gaps, WEIGHTS) == _values_per_independent(counts, WEIGHTS)


def test_values_that_never_vary_are_one_value_a_bucket() -> None:
    counts = np.zeros((100, 3), int)
    counts[:, 1] = 25

    assert _values_per_independent(counts, category_weights(3)) == 25


@pytest.mark.parametrize("place", range(10))
def test_values_that_never_vary_are_one_value_a_bucket_of_any_size(place: int) -> None:
    sizes = np.random.default_rng(place).integers(30, 60, 100)
    counts = np.zeros((100, 10), int)
    counts[:, place] = sizes

    assert _values_per_independent(counts, WEIGHTS) == sizes.mean()


@pytest.mark.parametrize("buckets", [7, 100])
@pytest.mark.parametrize("seed", range(5))
def test_buckets_of_one_value_each_are_worth_about_a_value_each(buckets: int, seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(25, 35, buckets)
    counts = np.zeros((buckets, 10), int)
    counts[::2, 2], counts[1::2, 6] = sizes[::2], sizes[1::2]

    worth = _values_per_independent(counts, WEIGHTS)

    assert sizes.min() <= worth <= 5 * sizes.max()


def test_a_scene_that_changes_every_minute_is_worth_little() -> None:
    rng = np.random.default_rng(5)
    faces = np.repeat(rng.integers(0, 3, 60), 6)
    counts = np.zeros((360, 3), int)
    counts[np.arange(360), faces] = PER_BUCKET

    worth = _values_per_independent(counts, category_weights(3))

    assert worth >= 3 * PER_BUCKET


@pytest.mark.parametrize("seed", range(5))
def test_of_two_values_that_take_turns_at_random_a_bucket_is_worth_one(seed: int) -> None:
    # given buckets of one value each, of the same size or not: their means are rounded differently
    rng = np.random.default_rng(seed)
    places = np.where(rng.random(360) < 0.5, 2, 6)
    worths = []
    for sizes in (np.full(360, 32), rng.integers(28, 37, 360)):
        counts = np.zeros((360, 10), int)
        counts[np.arange(360), places] = sizes
        worths.append(_values_per_independent(counts, WEIGHTS) / sizes.mean())

    # then each is worth about one independent value, whatever its size
    assert worths[1] == pytest.approx(worths[0], rel=0.02)
    assert 1 <= worths[0] <= 1.3
