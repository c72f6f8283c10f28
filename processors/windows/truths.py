"""Keeps sampled measurements for their ground truth, and says how right they were."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from modeltrail.processors.windows.columns import Truth
from modeltrail.schemas.events import MeasurementSampled
from modeltrail.schemas.measures import COUNTS

#: A measure that is no count is right within this share of the truth.
TOLERANCE = 0.05

_Frame = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample that met its truth; `accuracy` is 1 or 0, `error` a mean absolute difference."""

    sample: MeasurementSampled
    accuracy: float
    error: float


class Samples:
    """At most `capacity` samples; the newest one takes the place of the oldest."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._samples: dict[_Frame, MeasurementSampled] = {}
        self._met: set[_Frame] = set()

    def __len__(self) -> int:
        return len(self._samples)

    def restore(self, samples: Iterable[MeasurementSampled], captured_before: int) -> None:
        """Begin with what was sampled earlier, oldest first, captured before that microsecond."""
        for sample in samples:
            if sample.captured_at < captured_before:
                self.add(sample)

    def add(self, sample: MeasurementSampled) -> int:
        """Keep a sample; give how many were dropped for it that never met their truth."""
        self._samples[_frame_of(sample)] = sample
        dropped = 0
        while len(self._samples) > self._capacity:
            oldest = next(iter(self._samples))
            del self._samples[oldest]
            dropped += oldest not in self._met
            self._met.discard(oldest)
        return dropped

    def judge(self, truth: Truth) -> Judged | None:
        """Compare a truth with its sample; None: there is none, or nothing of it was measured."""
        sample = self._samples.get(_frame_of(truth))
        if sample is None:
            return None
        measured = dict(zip(sample.names, sample.values, strict=True))
        pairs = [
            (name, measured[name], true)
            for name, true in zip(truth.names, truth.values, strict=True)
            if name in measured
        ]
        if not pairs:
            return None
        self._met.add(_frame_of(truth))
        right = len(pairs) == len(truth.names) and all(_is_right(*pair) for pair in pairs)
        error = sum(abs(value - true) for _, value, true in pairs) / len(pairs)
        return Judged(sample, float(right), min(error, sys.float_info.max))


def _frame_of(what: MeasurementSampled | Truth) -> _Frame:
    return (what.model_id, what.node_id, what.session_id, what.frame)


def _is_right(name: str, value: float, true: float) -> bool:
    return value == true if name in COUNTS else abs(value - true) <= TOLERANCE * abs(true)
