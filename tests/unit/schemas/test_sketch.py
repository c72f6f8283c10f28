"""Tells what the numbers of a window are kept as, and what comes out of them again."""

import math
import struct

import numpy as np
import pytest

from modeltrail.schemas.sketch import (
    bin_bounds,
    bin_middle,
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


def sql_bin(value: float) -> int:
    """`bitShiftRight(reinterpretAsUInt64(abs(v)), 45)` and its sign, without numpy."""
    if value == 0:
        return 0
    bits: int = struct.unpack("<Q", struct.pack("<d", abs(value)))[0]
    return int(math.copysign((bits >> 45) + 1, value))


class TestBins:
    @pytest.mark.parametrize(
        "value", [1.0, -1.0, 0.3, 1e-9, 123456.789, -(2.0**41), 5e-324, math.nextafter(2, 0)]
    )
    def test_a_bin_is_what_sql_makes_of_the_value(self, value: float) -> None:
        assert bins_of(np.array([value])).tolist() == [sql_bin(value)]

    def test_both_zeros_have_the_bin_zero(self) -> None:
        assert bins_of(np.array([0.0, -0.0])).tolist() == [0, 0]

    def test_a_value_on_a_boundary_is_in_the_bin_away_from_zero(self) -> None:
        number = sql_bin(1.0)

        assert bin_bounds(number)[0] == 1.0
        assert bin_bounds(-number)[1] == -1.0
        assert sql_bin(math.nextafter(1.0, 0)) == number - 1

    def test_zero_stands_for_itself(self) -> None:
        assert bin_bounds(0) == (0.0, 0.0)
        assert bin_middle(0) == 0.0

    def test_a_strided_column_is_binned_like_any_other(self) -> None:
        values = np.arange(20, dtype=np.float64)

        assert bins_of(values[::2]).tolist() == [sql_bin(value) for value in values[::2]]


class TestRange:
    def test_a_window_takes_no_value_of_two_to_the_42_or_more(self) -> None:
        values = np.array([2.0**42, -(2.0**42), math.nextafter(2.0**42, 0), math.nan, math.inf])

        assert in_range(values).tolist() == [False, False, True, False, False]


class TestSums:
    def test_a_tiny_negative_value_carries_into_the_whole(self) -> None:
        whole, fraction = fixed_point(np.array([-1e-20]))

        assert normalised(int(whole[0]), int(fraction[0])) == (0, 0)

    def test_the_mean_comes_from_the_integers(self) -> None:
        whole, fraction = fixed_point(np.array([1.5, 2.25, -0.75]))

        assert mean_of(3, *normalised(int(whole.sum()), int(fraction.sum()))) == 1.0

    def test_the_mean_of_many_tenths_is_a_tenth(self) -> None:
        whole, fraction = fixed_point(np.full(100_000, 0.1))

        mean = mean_of(100_000, *normalised(int(whole.sum()), int(fraction.sum())))

        assert mean == pytest.approx(0.1, rel=1e-11)


class TestQuantiles:
    def test_a_single_value_is_every_quantile_of_itself(self) -> None:
        bins = bins_of(np.array([42.42]))

        assert quantile(bins, [1], 0.5, 42.42, 42.42) == 42.42
        assert quantile(bins, [1], 0.0, 42.42, 42.42) == 42.42

    def test_the_rank_is_the_nearest_one(self) -> None:
        bins, counts = bins_of(np.array([1.0, 2.0, 4.0, 8.0])), [5, 5, 9, 1]

        assert quantile(bins, counts, 0.25, 1.0, 8.0) == bin_middle(int(bins[0]))
        assert quantile(bins, counts, 0.5, 1.0, 8.0) == bin_middle(int(bins[1]))
        assert quantile(bins, counts, 0.95, 1.0, 8.0) == bin_middle(int(bins[2]))
        assert quantile(bins, counts, 0.99, 1.0, 8.0) == 8.0


class TestMerging:
    def test_counts_of_the_same_bin_add_up_and_empty_bins_go(self) -> None:
        bins, counts = merged([([3, 1], [1, 2]), ([1, 2], [5, 0])])

        assert (bins.tolist(), counts.tolist()) == ([1, 3], [7, 1])

    def test_nothing_merges_to_nothing(self) -> None:
        bins, counts = merged([])

        assert (len(bins), len(counts)) == (0, 0)


class TestEdges:
    def test_an_edge_snaps_to_the_nearer_boundary_of_its_bin(self) -> None:
        low, high = bin_bounds(sql_bin(100.0))

        assert snapped(math.nextafter(low, high)) == low
        assert snapped(math.nextafter(high, low)) == high
        assert snapped(low) == low
        assert snapped(-low) == -low
        assert snapped(0.0) == 0.0

    def test_without_edges_all_is_one_count(self) -> None:
        assert counts_over([1, 2], [3, 4], []).tolist() == [7]

    def test_zero_counts_to_the_right_of_an_edge_at_zero(self) -> None:
        assert counts_over(bins_of(np.array([-1.0, 0.0, 1.0])), [1, 2, 4], [0.0]).tolist() == [1, 6]

    def test_a_value_on_an_edge_counts_away_from_zero(self) -> None:
        bins = bins_of(np.array([-1.0, 1.0]))

        assert counts_over(bins, [1, 2], [-1.0, 1.0]).tolist() == [1, 0, 2]
