"""Answers what time it is, so that only shells ask and a test can hold time still."""

import time
from typing import Protocol

MICROS = 1_000_000


class Clock(Protocol):
    """Wall time in microseconds since the epoch (UTC), and a monotonic time in seconds."""

    def now_us(self) -> int:
        """Wall time, microseconds since 1970-01-01 UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        """Wall time, microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now_us: int = 1_700_000_000 * MICROS) -> None:
        self._now_us = now_us
        self._monotonic = 0.0

    def now_us(self) -> int:
        """The wall time last set."""
        return self._now_us

    def monotonic(self) -> float:
        """The seconds advanced so far."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let both clocks run on by `seconds`."""
        self._monotonic += seconds
        self._now_us += round(seconds * MICROS)

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a time server does."""
        self._now_us += round(seconds * MICROS)
