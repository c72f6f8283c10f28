"""A full ring is written to in place, and what is free is given back."""

import numpy as np
import pytest

from modeltrail.processors.windows.arriving import MOST, Rows
from modeltrail.processors.windows.rings import Ring, totals_of

NAMES = ("latency_ms", "luma_mean")


def rows(first: int, count: int, names: tuple[str, ...] = NAMES) -> Rows:
    """Measurements a millisecond apart, whose values say when they were appended."""
    at = np.arange(first, first + count)
    values = np.tile(at.astype(np.float64), (len(names), 1))
    return Rows(at, np.zeros(count, dtype=np.int32), at, names, values)


def ring(first: int, count: int, names: tuple[str, ...] = NAMES) -> Ring:
    held = rows(first, count, names)
    return Ring(held, *totals_of([held.values]))


def push(ring: Ring, newer: Rows) -> None:
    leaving = ring.oldest(ring.too_many(len(newer)))
    came, left = totals_of([newer.values, leaving])
    ring.push(newer, came, left)


def drop(ring: Ring, count: int) -> None:
    ring.drop(count, *totals_of([ring.oldest(count)]))


def test_a_full_ring_stays_where_it_is() -> None:
    full = ring(0, MOST)
    values, size = full.values, full.nbytes
    for first in range(MOST, 5 * MOST, 170):
        push(full, rows(first, 170))
        newest = np.arange(first + 170 - MOST, first + 170)
        assert np.sort(full.held()[0]).tolist() == newest.tolist()
        assert full.oldest(3)[1].tolist() == newest[:3].tolist()
        assert full.totals[:, :2].tolist() == [[MOST, newest.sum()]] * 2
    assert full.values is values
    assert full.nbytes == size


def test_a_growing_ring_never_has_room_for_more_than_are_kept() -> None:
    growing = ring(0, 30)
    for first in range(30, 2000, 70):
        push(growing, rows(first, 70))
        assert len(growing) == min(MOST, first + 70)
        assert growing.values.shape[1] <= min(MOST, len(growing) * 17 // 16)


def test_what_has_gone_gives_its_room_back() -> None:
    leaving = ring(0, MOST)
    size = leaving.nbytes
    drop(leaving, 700)
    assert (len(leaving), leaving.oldest_ms) == (300, 700)
    assert leaving.nbytes == size * 300 // MOST


def test_little_that_has_gone_leaves_its_place_to_what_comes() -> None:
    some = ring(0, 400)
    values = some.values
    for first in range(400, 2000, 20):
        drop(some, 20)
        push(some, rows(first, 20))
        assert np.sort(some.held()[0]).tolist() == list(range(first - 380, first + 20))
    assert some.values is values


@pytest.mark.parametrize("names", [("fps",), ("fps", *NAMES), ("luma_mean",)])
def test_metrics_come_with_those_that_have_them_and_go_with_them(names: tuple[str, ...]) -> None:
    changing = ring(0, MOST)
    push(changing, rows(MOST, 300, names))
    assert changing.names == tuple(sorted({*names, *NAMES}))
    for first in range(MOST + 300, 2 * MOST + 300, 500):
        push(changing, rows(first, 500))
    assert changing.names == NAMES
    assert changing.totals.tolist() == ring(1300, MOST).totals.tolist()
    assert not np.isnan(changing.values).any()


def test_how_many_were_appended_by_a_time_is_told_across_the_end_of_the_ring() -> None:
    full = ring(0, MOST)
    push(full, rows(MOST, 250))
    assert [full.appended_by(time_ms) for time_ms in (249, 250, 999, 1000, 1249, 5000)] == [
        *(0, 1, 750, 751, 1000, 1000)
    ]
