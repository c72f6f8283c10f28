"""Clocks tell time; a manual one moves only when told to."""

import time

from modeltrail.infra.clock import MICROS, ManualClock, SystemClock


def test_the_system_clock_tells_wall_time_in_microseconds() -> None:
    before = time.time_ns() // 1000
    told = SystemClock().now_us()

    assert before <= told <= time.time_ns() // 1000


def test_the_system_clocks_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()

    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_stands_still() -> None:
    clock = ManualClock(now_us=5)

    assert (clock.now_us(), clock.now_us()) == (5, 5)
    assert clock.monotonic() == 0.0


def test_advancing_moves_both_times() -> None:
    clock = ManualClock(now_us=0)

    clock.advance(1.5)

    assert clock.now_us() == 1_500_000
    assert clock.monotonic() == 1.5


def test_a_jump_moves_wall_time_alone() -> None:
    clock = ManualClock(now_us=10 * MICROS)

    clock.jump(-3)

    assert clock.now_us() == 7 * MICROS
    assert clock.monotonic() == 0.0
