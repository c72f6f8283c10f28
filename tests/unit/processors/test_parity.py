"""How far apart the groups of a metric lie in a window, against fairlearn and by hand."""

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio
from scipy.stats import fisher_exact  # type: ignore[import-untyped]

from modeltrail.processors.alerting.parity import Parity, parity_of
from tests.unit.processors.alert_log import window


def outcomes(ones: int, of: int) -> list[float]:
    """So many ones among so many values."""
    return [1.0] * ones + [0.0] * (of - ones)


def parity(minimum_samples: int = 1, /, **groups: list[float]) -> Parity | None:
    held = {f"missed@{group}": values for group, values in groups.items()}
    return parity_of(window(10, held), "missed", minimum_samples)


@pytest.mark.parametrize(
    ("few", "many", "groups"),
    [(10, 40, 2), (10, 25, 2), (10, 25, 5), (0, 7, 2), (0, 12, 2), (3, 3, 2), (50, 99, 3)],
)
def test_chance_is_told_by_fishers_test_of_all_pairs(few: int, many: int, groups: int) -> None:
    # given two groups that lie farthest apart, and others between them
    held = {"a": outcomes(few, 100), "z": outcomes(many, 150)}
    held |= {f"m{place}": outcomes(few, 100) for place in range(groups - 2)}

    found = parity(1, **held)

    # then twice Fisher's tail, times the pairs, is held against three standard deviations
    (least, greatest) = sorted([(few / 100, few, 100), (many / 150, many, 150)])
    rows = [[least[1], least[2] - least[1]], [greatest[1], greatest[2] - greatest[1]]]
    tail = fisher_exact(rows, alternative="less").pvalue
    pairs = groups * (groups - 1) / 2
    assert found is not None
    assert found.may_be_chance == (2 * pairs * tail > 0.0027)


def test_values_in_any_unit_are_told_from_chance() -> None:
    # given latencies around 20 and 30 ms, of many frames and of few
    rng = np.random.default_rng(3)
    drawn = {"a": rng.normal(20, 3, 400), "b": rng.normal(30, 3, 400)}

    many = parity(1, **{group: values.tolist() for group, values in drawn.items()})
    few = parity(1, **{group: values[:5].tolist() for group, values in drawn.items()})

    assert many is not None
    assert few is not None
    assert not many.may_be_chance
    assert few.may_be_chance


def test_groups_that_are_alike_are_seldom_told_apart() -> None:
    # given a thousand windows of four groups whose values have one law, rare and skewed
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(1000):
        held = {
            group: rng.exponential(30, size)
            for group, size in zip("abcd", (20, 50, 200, 800), strict=True)
        }
        found = parity(1, **{group: values.tolist() for group, values in held.items()})
        assert found is not None
        alarms += not found.may_be_chance
    assert alarms <= 5


def test_ratio_and_difference_are_those_of_fairlearn() -> None:
    # given planted rates of 10 %, 25 % and 40 % in groups of unequal size
    rng = np.random.default_rng(7)
    rates = {"a": (0.1, 300), "b": (0.25, 500), "c": (0.4, 200)}
    drawn = {group: rng.random(size) < rate for group, (rate, size) in rates.items()}

    found = parity(**{group: hits.astype(float).tolist() for group, hits in drawn.items()})

    # then they are what fairlearn finds in the rows
    predicted = np.concatenate(list(drawn.values())).astype(int)
    labels = np.repeat(list(drawn), [len(hits) for hits in drawn.values()])
    rows = {"y_true": predicted, "y_pred": predicted, "sensitive_features": labels}
    assert found is not None
    assert found.ratio == pytest.approx(demographic_parity_ratio(**rows))
    assert found.difference == pytest.approx(demographic_parity_difference(**rows))
    assert (found.least.group, found.greatest.group) == ("a", "c")
    assert found.samples == 1000


def test_values_need_not_be_rates() -> None:
    found = parity(a=[10.0, 20.0], b=[30.0], c=[18.0])

    assert found is not None
    assert (found.ratio, found.difference) == (0.5, 15.0)


@pytest.mark.parametrize("size", [100, 700, 123_400])
def test_four_fifths_are_met_exactly_whatever_the_size_of_the_groups(size: int) -> None:
    # given rates of 4 % and 5 %, whose quotient as floats is less than 0.8
    assert 0.04 / 0.05 < 0.8

    found = parity(a=outcomes(4 * size // 100, size), b=outcomes(5, 100))

    assert found is not None
    assert found.ratio == 0.8


def test_groups_without_a_single_hit_are_alike() -> None:
    found = parity(a=outcomes(0, 5), b=outcomes(0, 9))

    assert found is not None
    assert (found.ratio, found.difference) == (1.0, 0.0)


def test_one_group_without_a_hit_is_as_far_apart_as_can_be() -> None:
    found = parity(a=outcomes(0, 5), b=outcomes(1, 5))

    assert found is not None
    assert (found.ratio, found.difference) == (0.0, 0.2)


def test_means_below_zero_have_a_difference_and_no_ratio() -> None:
    found = parity(a=[-2.0], b=[0.0], c=[1.5])

    assert found is not None
    assert (found.ratio, found.difference) == (None, 3.5)


def test_small_groups_are_left_out_and_not_counted() -> None:
    # given that the group with the worst rate has 9 values
    found = parity(10, a=outcomes(2, 10), b=outcomes(3, 10), c=outcomes(9, 9))

    assert found is not None
    assert found.greatest.group == "b"
    assert found.samples == 20


def test_fewer_than_two_groups_are_nothing_to_compare() -> None:
    assert parity() is None
    assert parity(a=outcomes(1, 10)) is None
    assert parity(a=outcomes(1, 10), b=[]) is None
    assert parity(10, a=outcomes(1, 10), b=outcomes(1, 9)) is None


def test_only_groups_of_that_very_metric_are_looked_at() -> None:
    held = {
        "missed": [1.0],
        "missed@": [1.0],
        "missed_too@a": [1.0],
        "unmissed@a": [1.0],
        "Missed@a": [1.0],
        "missed@a": [0.5],
        "missed@b@night": [0.25],
    }

    found = parity_of(window(10, held), "missed", 1)

    assert found is not None
    assert found.samples == 2
    assert (found.least.group, found.greatest.group) == ("b@night", "a")


def test_of_equal_means_the_name_decides_whichever_comes_first() -> None:
    forth = parity(b=[1.0], a=[1.0], c=[1.0])

    assert forth == parity(c=[1.0], a=[1.0], b=[1.0])
    assert forth is not None
    assert (forth.least.group, forth.greatest.group) == ("a", "c")
