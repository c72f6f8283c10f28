"""Simulates trials of sessions whose frames depend on each other, looked at after every session."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeltrail.processors.deployments.trial.confidence_sequence import half_width
from modeltrail.processors.deployments.trial.pairing import Counted, pairs_of

Floats = npt.NDArray[np.float64]
#: Draws the levels of so many sessions, of mean 1.
Levels = Callable[[np.random.Generator, int], Floats]

AUTOCORRELATION = 0.98
FRAMES = 20
MINIMUM = 20
ALPHA = 0.05
#: Spread of frames inside of a session, in means.
_WITHIN = 0.1


def normal_levels(chance: np.random.Generator, sessions: int) -> Floats:
    return chance.normal(1.0, 0.15, sessions)


def lognormal_levels(chance: np.random.Generator, sessions: int) -> Floats:
    return chance.lognormal(-0.5, 1.0, sessions)


def rare_levels(chance: np.random.Generator, sessions: int) -> Floats:
    """Something that happens in 3 % of sessions only."""
    return (chance.random(sessions) < 0.03) / 0.03


def frames_of(levels: Floats, chance: np.random.Generator) -> Floats:
    """Frames of sessions, shape (sessions, FRAMES): a level each, and AR(1) noise around it."""
    noise = np.empty((len(levels), FRAMES))
    noise[:, 0] = chance.standard_normal(len(levels))
    step = np.sqrt(1 - AUTOCORRELATION**2)
    for frame in range(1, FRAMES):
        fresh = step * chance.standard_normal(len(levels))
        noise[:, frame] = AUTOCORRELATION * noise[:, frame - 1] + fresh
    return levels[:, None] * (1 + _WITHIN * noise)


@dataclass(frozen=True)
class Setting:
    """How the trials are: so many sessions, of which a share are of a candidate that is slower."""

    levels: Levels
    sessions: int = 1000
    share: float = 0.5
    slower: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of one trial: pairs at the first look that decided; None: none did."""

    within_after: int | None
    beyond_after: int | None


def simulate(setting: Setting, seed: int) -> Outcome:
    """One trial, its values the means of frames."""
    chance = np.random.default_rng(seed)
    candidate = chance.random(setting.sessions) < setting.share
    frames = frames_of(setting.levels(chance, setting.sessions), chance)
    values = frames.mean(axis=1) * np.where(candidate, 1 + setting.slower, 1.0)
    arms: tuple[list[Counted], list[Counted]] = ([], [])
    for at, (is_candidate, value) in enumerate(zip(candidate, values, strict=True)):
        arms[int(is_candidate)].append(Counted(at, f"s{at}", (float(value),)))
    pairs = [(champion.means[0], mine.means[0]) for champion, mine in pairs_of(*arms)]
    return looked_at(np.array(pairs), setting.margin)


def looked_at(pairs: Floats, margin: float, minimum: int = MINIMUM) -> Outcome:
    """The first look, of those after each row, that shows the candidate within or beyond."""
    champion, candidate = pairs.reshape(-1, 2).T
    excess = candidate - (1 + margin) * champion
    count = np.arange(1.0, len(excess) + 1)
    mean = np.cumsum(excess) / count
    squares = np.cumsum(excess**2) - count * mean**2
    variance = np.maximum(squares, 0) / np.maximum(count - 1, 1)
    half = half_width(count, variance, ALPHA)
    # No scatter, no answer; of float sums a rest remains.
    may = (count >= minimum) & (variance > 1e-12)
    return Outcome(_first(may & (mean + half < 0)), _first(may & (mean - half > 0)))


def _first(flags: npt.NDArray[np.bool_]) -> int | None:
    return int(np.argmax(flags)) + 1 if flags.any() else None
