"""Measures whether the processors' memory stays where it is: over ten million events of a backlog.

First with an agent that is slowed down, before the whole backlog, then at full speed.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from modeltrail.infra.config import Settings
from tests.bench.events import append_measurements
from tests.bench.processing import PLAIN, Sample, samples
from tests.bench.watching import watch

EVENTS = 10_000_000
SLOWED = "tests.bench.slowed"
_SLOWED_S = 60.0
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Soaked:
    """Most resident memory, MiB: of a fifth of the time or of the events each."""

    slowed: tuple[float, ...]
    full_speed: tuple[float, ...]


def soak(settings: Settings, models: int) -> Soaked:
    """Append ten million measurements, and let the processors take them.

    Raises:
        TimeoutError: they did not take all of them.
    """
    append_measurements(settings, EVENTS, models)
    watch(settings, models)
    slowed = _taken_until(settings, SLOWED, lambda sample: sample.at > _SLOWED_S)
    begun = slowed[-1].taken
    assert begun < EVENTS / 2, "the agent was not slow"
    full = _taken_until(settings, PLAIN, lambda sample: sample.taken >= EVENTS)
    return Soaked(
        _peaks(slowed, [sample.at for sample in slowed]),
        _peaks(full, [max(0, sample.taken - begun) for sample in full]),
    )


def _taken_until(
    settings: Settings, module: str, is_over: Callable[[Sample], bool]
) -> list[Sample]:
    found = []
    with closing(samples(settings, module)) as taken:
        for sample in taken:
            found.append(sample)
            if is_over(sample):
                break
    return found


def _peaks(found: Sequence[Sample], progress: Sequence[float]) -> tuple[float, ...]:
    """The most memory in each fifth of the progress; a fifth without a sample takes the last."""
    peaks, last = [0.0] * _PARTS, progress[-1]
    for sample, value in zip(found, progress, strict=True):
        fifth = min(_PARTS - 1, int(_PARTS * value / last))
        peaks[fifth] = max(peaks[fifth], sample.memory)
    for fifth in range(1, _PARTS):
        peaks[fifth] = peaks[fifth] or peaks[fifth - 1]
    return tuple(peaks)
