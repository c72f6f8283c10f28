"""Answers when a frame was captured, by a wall clock that may jump.

The time is the wall clock's at the start, moved on by the monotonic clock: small corrections never
make it run backwards or bunch up. Where the wall clock is over a second away from that, somebody
set it, and it is followed at once and counted: a session must not stay in the future (over 10 s is
a dead letter) nor in the past because its node booted with a wrong clock.
"""

from modeltrail.infra.clock import MICROS, Clock
from modeltrail.schemas.ids import Micros

_JUMP_US = MICROS


class CaptureClock:
    """UTC in microseconds for one session."""

    def __init__(self, clock: Clock) -> None:
        self.jumps = 0
        self._clock = clock
        self._anchor = clock.now_us() - int(clock.monotonic() * MICROS)

    def at(self, monotonic: float) -> Micros:
        """The time at a reading of the monotonic clock, in seconds, since the last `follow`."""
        return Micros(self._anchor + int(monotonic * MICROS))

    def follow(self) -> None:
        """Look whether the wall clock was set; only then does time go back, if it was set back."""
        away = self._clock.now_us() - self.at(self._clock.monotonic())
        if abs(away) > _JUMP_US:
            self._anchor += away
            self.jumps += 1

    def now_us(self) -> Micros:
        """The time now."""
        self.follow()
        return self.at(self._clock.monotonic())
