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

    def now_us(self) -> Micros:
        """The time now; it goes back only where the wall clock was set back."""
        wall = self._clock.now_us()
        steady = self._anchor + int(self._clock.monotonic() * MICROS)
        if -_JUMP_US <= wall - steady <= _JUMP_US:
            return Micros(steady)
        self._anchor += wall - steady
        self.jumps += 1
        return Micros(wall)
