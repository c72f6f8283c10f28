"""Draws a bootstrap's resamples of counts at once: no row is ever drawn on its own.

Resampling n rows with replacement and counting them by cell is one multinomial draw over the cells
(Efron and Tibshirani: "An Introduction to the Bootstrap", 1993, 21.2); where rows depend on each
other, whole lots of units are drawn instead (Davison and Hinkley: "Bootstrap Methods and their
Application", 1997, 3.8).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Numbers of one piece of the resamples.
_MOST_NUMBERS = 4_000_000
#: Fewer lots say too little about how they vary.
FEWEST_LOTS = 10


def resampled_counts(
    counts: npt.NDArray[np.int64], resamples: int, chance: np.random.Generator
) -> Floats:
    """Counts of each resample, shape (resamples, groups, cells), of (lots, groups, cells).

    One lot: rows are independent, and drawn by cell. More: lots are drawn.
    """
    shape = counts.shape[1:]
    if len(counts) == 1:
        total = int(counts.sum())
        shares = counts.reshape(-1) / max(total, 1)
        return chance.multinomial(total, shares, size=resamples).reshape(-1, *shape).astype(float)
    flat = counts.reshape(len(counts), -1).astype(float)
    return np.concatenate([w @ flat for w in lot_weights(len(counts), resamples, chance)]).reshape(
        -1, *shape
    )


def lot_weights(lots: int, resamples: int, chance: np.random.Generator) -> Iterator[Floats]:
    """How often each lot is drawn, shape (some resamples, lots), piece by piece."""
    piece = max(1, _MOST_NUMBERS // lots)
    for start in range(0, resamples, piece):
        size = min(piece, resamples - start)
        yield chance.multinomial(lots, np.full(lots, 1 / lots), size=size).astype(float)
