"""Answers which step of a partition's time an append falls into, and where a step is cut.

Time is what the broker says: the append times of a partition, in ms, made to never fall. Steps
last 10 s and are cut 1 s after the end of a bucket: step k takes what was appended after cut k - 1
and up to cut k, decides the bucket k - 1 and sees the last of the bucket k - 2.
"""

from typing import TypeVar

import numpy as np

from modeltrail.processors.windows.columns import Flags, Integers

BUCKET_MS = 10_000
BUCKET_US = BUCKET_MS * 1000
_DECIDED_MS = 1_000
LATE_US = 10_000_000
#: What a cut says depends on what was appended in so many ms before it.
REACH_MS = 31_000

Number = TypeVar("Number", int, Integers)


def step_of(time_ms: Number) -> Number:
    """The step that an append belongs to."""
    return (time_ms - _DECIDED_MS + BUCKET_MS - 1) // BUCKET_MS


def cut_ms(step: int) -> int:
    """The last millisecond of a step."""
    return step * BUCKET_MS + _DECIDED_MS


def late(times_ms: Integers, captured_us: Integers) -> Flags:
    """Which measurements were appended too long after their capture to count in windows."""
    flags: Flags = times_ms * 1000 - captured_us > LATE_US
    return flags


class Rewind:
    """Answers from which offset a fold must read again to say all that it has not said yet.

    It starts from a record whose append time is greater than that of every one before it, so that
    a fold that knows nothing else sees the same times.
    """

    def __init__(self) -> None:
        self._marks: list[tuple[int, int]] = []

    def note(self, offsets: Integers, times_ms: Integers, last_ms: int) -> None:
        """Take records in, with the greatest append time before them."""
        rising = np.flatnonzero(np.diff(times_ms, prepend=last_ms) > 0)
        _, firsts = np.unique(times_ms[rising] // 1000, return_index=True)
        chosen = rising[firsts]
        self._marks += zip(times_ms[chosen].tolist(), offsets[chosen].tolist(), strict=True)

    def offset(self, until_ms: int) -> int:
        """The newest start that was appended by `until_ms`, or else the first there was."""
        passed = sum(time_ms <= until_ms for time_ms, _ in self._marks)
        del self._marks[: max(passed - 1, 0)]
        return self._marks[0][1]
