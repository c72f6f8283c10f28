"""The interval of a mean: Student's, whatever the size of the numbers."""

import math
import sys

import pytest
from scipy import stats  # type: ignore[import-untyped]

from modeltrail.schemas.intervals import MeanInterval, mean_interval

VALUES = (0.71, 0.74, 0.69, 0.75, 0.7)


@pytest.mark.parametrize("size", [1.0, 1e-200, 1e-300, 1e160, 1e300, -1e300])
def test_the_interval_is_students_whatever_the_size_of_the_values(size: float) -> None:
    found = mean_interval([value * size for value in VALUES])
    t = stats.t.interval(0.95, 4, stats.tmean(VALUES), stats.sem(VALUES))
    low, high = sorted(end * size for end in t)
    assert found.mean == pytest.approx(math.fsum(VALUES) / 5 * size, rel=1e-12)
    assert found.low == pytest.approx(low, rel=1e-9)
    assert found.high == pytest.approx(high, rel=1e-9)


def test_a_power_of_two_changes_no_digit() -> None:
    one, other = mean_interval(VALUES), mean_interval([math.ldexp(each, 900) for each in VALUES])
    assert one.low is not None
    assert one.high is not None
    ends = (one.mean, one.low, one.high)
    assert (other.mean, other.low, other.high) == tuple(math.ldexp(end, 900) for end in ends)


@pytest.mark.parametrize("value", [sys.float_info.max, -sys.float_info.max])
def test_the_mean_of_the_largest_numbers_is_no_larger(value: float) -> None:
    assert mean_interval([value] * 3) == MeanInterval(3, value, value, value)


def test_an_end_that_is_no_number_is_none() -> None:
    found = mean_interval([1e308, -1e308])
    assert found == MeanInterval(2, 0.0, None, None)


def test_zeros_and_a_single_value_need_no_scale() -> None:
    assert mean_interval([0.0, 0.0]) == MeanInterval(2, 0.0, 0.0, 0.0)
    assert mean_interval([1e200]) == MeanInterval(1, 1e200, None, None)
