"""Changes of a metric's mean are found where they are, once, and not where there are none."""

import numpy as np
import pytest

from modeltrail.processors.drift.change_points import HOUR_US, Change, ChangePoints
from modeltrail.processors.drift.fold import DriftFold
from modeltrail.schemas.events import ChangePointDetected, MetricWindow
from modeltrail.schemas.ids import Micros
from tests.scenario.processors.drift_streams import Floats, fold_all, log_of, windows_of

BEGIN = 500_000 * HOUR_US
STEP = 10_000_000


def _ends(count: int, first: int = 0) -> list[Micros]:
    return [Micros(BEGIN + (first + number + 1) * STEP) for number in range(count)]


def _found(means: Floats, points: ChangePoints | None = None) -> list[tuple[int, Change]]:
    """The changes, each with the number of the mean that made it certain."""
    points = points or ChangePoints()
    found = []
    for number, (end, mean) in enumerate(zip(_ends(len(means)), means.tolist(), strict=True)):
        if change := points.take(end, mean):
            points.noticed(end)
            found.append((number, change))
    return found


def _stretch(seed: int, count: int, mean: float, deviation: float = 0.03) -> Floats:
    return np.asarray(np.random.default_rng(seed).normal(mean, deviation, count))


def test_a_steady_mean_has_no_change_point() -> None:
    for seed in range(20):
        assert _found(_stretch(seed, 1_000, 0.9)) == []


@pytest.mark.parametrize("unit", [1.0, 1_000.0, 0.001], ids=["share", "large", "small"])
def test_a_drop_of_three_sigma_is_found_within_minutes_in_any_unit(unit: float) -> None:
    means = np.concatenate([_stretch(1, 200, 0.9), _stretch(2, 60, 0.81)]) * unit

    ((number, change),) = _found(means)

    assert 203 <= number < 220
    assert abs((change.since - _ends(201)[200]) // STEP) <= 2
    assert change.mean_before == pytest.approx(0.9 * unit, rel=0.01)
    assert change.mean_after == pytest.approx(0.81 * unit, rel=0.03)


def test_two_changes_are_two_findings() -> None:
    means = np.concatenate([_stretch(1, 100, 0.9), _stretch(2, 100, 0.7), _stretch(3, 100, 0.9)])

    found = _found(means)

    assert [change.mean_after < change.mean_before for _, change in found] == [True, False]


def test_a_detector_that_starts_anew_on_the_hour_does_not_tell_of_a_known_change_again() -> None:
    # The change lies in the middle of an hour, from which the next two detectors are started.
    means = np.concatenate([_stretch(1, 180, 0.9), _stretch(2, 1_200, 0.75)])

    assert len(_found(means)) == 1


def test_a_metric_that_never_varies_has_no_change_point_until_it_does() -> None:
    ((number, change),) = _found(np.concatenate([np.full(200, 1.0), np.full(700, 0.4)]))

    assert number > 200
    assert change.mean_before == 1.0
    assert change.mean_after == pytest.approx(0.4)


def test_what_the_hour_before_last_held_does_not_matter() -> None:
    rest = np.concatenate([_stretch(5, 500, 0.9), _stretch(6, 220, 0.8)])
    one = _found(np.concatenate([_stretch(1, 360, 0.9), rest]))
    other = _found(np.concatenate([_stretch(2, 360, 0.2), rest]))

    third_hour = 2 * 360
    assert [entry for entry in one if entry[0] >= third_hour]
    assert [entry for entry in one if entry[0] >= third_hour] == [
        entry for entry in other if entry[0] >= third_hour
    ]


@pytest.mark.parametrize(
    ("metric", "level", "worse"),
    [
        ("accuracy", 0.6, True),
        ("accuracy", 1.2, False),
        ("error", 1.2, True),
        ("error", 0.6, False),
    ],
)
def test_falling_accuracy_and_rising_error_are_worse(
    metric: str, level: float, worse: bool
) -> None:
    means = np.concatenate([_stretch(1, 100, 0.9), _stretch(2, 60, level)])
    buckets = [(window,) for window in _windows(metric, means)]

    (fact,) = fold_all(DriftFold(0), log_of(buckets))

    assert isinstance(fact, ChangePointDetected)
    assert (fact.metric, fact.worse) == (metric, worse)
    assert fact.mean_after == pytest.approx(level, abs=0.05)


def test_other_metrics_are_not_watched_unless_a_policy_says_so() -> None:
    means = np.concatenate([_stretch(1, 100, 0.9), _stretch(2, 60, 0.2)])
    buckets = [(window,) for window in _windows("latency_ms", means)]

    assert fold_all(DriftFold(0), log_of(buckets)) == []


def _windows(metric: str, means: Floats) -> list[MetricWindow]:
    return windows_of(metric, means, per_bucket=1)
