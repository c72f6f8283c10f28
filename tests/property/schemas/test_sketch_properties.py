"""Proves that the numbers of a window do not depend on how they were gathered."""

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modeltrail.schemas.sketch import (
    bin_bounds,
    bins_of,
    counts_over,
    fixed_point,
    in_range,
    mean_of,
    merged,
    normalised,
    quantile,
    snapped,
)

NORMAL = st.floats(-(2.0**42), 2.0**42, exclude_min=True, exclude_max=True, allow_subnormal=False)
VALUES = st.lists(NORMAL, min_size=1, max_size=200)


def histogram(values: list[float]) -> tuple[list[int], list[int]]:
    bins, counts = np.unique(bins_of(np.array(values)), return_counts=True)
    return bins.tolist(), counts.tolist()


@given(VALUES, st.sampled_from([0.0, 0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_one_percent_of_the_value_of_its_rank(
    values: list[float], q: float
) -> None:
    true = sorted(values)[max(1, math.ceil(q * len(values))) - 1]

    found = quantile(*histogram(values), q, min(values), max(values))

    assert abs(found - true) <= 0.004 * abs(true)


@given(NORMAL, NORMAL)
def test_a_larger_value_never_has_a_smaller_bin(one: float, other: float) -> None:
    low, high = bins_of(np.array(sorted((one, other))))

    assert low <= high


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_bin_is_the_formula_that_sql_has(value: float) -> None:
    bits: int = struct.unpack("<Q", struct.pack("<d", abs(value)))[0]
    expected = 0 if value == 0 else (bits >> 45) + 1

    assert bins_of(np.array([value])).tolist() == [expected if value > 0 else -expected]


@given(NORMAL)
def test_a_value_is_within_the_bounds_of_its_bin(value: float) -> None:
    low, high = bin_bounds(int(bins_of(np.array([value]))[0]))

    assert low <= value <= high
    assert abs(high - low) <= abs(value) / 128


@given(st.lists(VALUES, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_merging_is_nothing(parts: list[list[float]], chance: object) -> None:
    histograms = [histogram(part) for part in parts]
    shuffled = list(histograms)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    one, other = merged(histograms), merged([merged(shuffled[:2]), *shuffled[2:]])

    assert one[0].tolist() == other[0].tolist()
    assert one[1].tolist() == other[1].tolist()
    assert (one[0].tolist(), one[1].tolist()) == histogram([v for part in parts for v in part])


@given(VALUES, st.integers(0, 200))
def test_a_sum_is_the_same_however_it_is_cut(values: list[float], at: int) -> None:
    whole, fraction = fixed_point(np.array(values))
    left = normalised(int(whole[:at].sum()), int(fraction[:at].sum()))
    right = normalised(int(whole[at:].sum()), int(fraction[at:].sum()))

    together = normalised(int(whole.sum()), int(fraction.sum()))

    assert normalised(left[0] + right[0], left[1] + right[1]) == together


@given(VALUES)
def test_the_mean_is_as_good_as_the_exact_one(values: list[float]) -> None:
    whole, fraction = fixed_point(np.array(values))

    mean = mean_of(len(values), *normalised(int(whole.sum()), int(fraction.sum())))

    exact = math.fsum(values) / len(values)
    assert math.isclose(mean, exact, rel_tol=1e-15, abs_tol=2.0**-40)


@given(VALUES, st.lists(NORMAL, max_size=10))
def test_counts_over_edges_are_those_of_the_values(values: list[float], edges: list[float]) -> None:
    cuts = sorted(snapped(edge) for edge in edges)
    expected = [0] * (len(cuts) + 1)
    for value in values:
        expected[sum(value > cut or (value == cut and cut >= 0) for cut in cuts)] += 1

    assert counts_over(*histogram(values), sorted(edges)).tolist() == expected


@given(NORMAL)
def test_snapping_moves_an_edge_by_less_than_half_a_percent_and_only_once(edge: float) -> None:
    assert abs(snapped(edge) - edge) <= 0.004 * abs(edge)
    assert snapped(snapped(edge)) == snapped(edge)


@given(st.lists(st.floats(), min_size=1))
def test_what_is_in_range_is_finite_and_small(values: list[float]) -> None:
    expected = [math.isfinite(value) and abs(value) < 2.0**42 for value in values]

    assert in_range(np.array(values)).tolist() == expected
