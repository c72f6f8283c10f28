"""Answers how many independent rows those of a few units are worth, as they resemble each other."""

import numpy as np
import numpy.typing as npt


def effective_rows(counts: npt.NDArray[np.int64]) -> float:
    """How many independent rows have a share of hits as unsure as that of these; at most as many.

    Source: Kish, "Survey Sampling", 1965: variance between units over that of single rows.

    Args:
        counts: rows and hits of each unit, shape (units, 2); every unit has a row.
    """
    units, n, hits = len(counts), int(counts[:, 0].sum()), int(counts[:, 1].sum())
    share = hits / n
    if units < 2 or not 0 < share < 1:
        # Nothing varies: units, not rows, are what could have been otherwise.
        return float(units)
    residual = counts[:, 1] - share * counts[:, 0]
    variance = units / (units - 1) * float(np.sum(residual**2)) / n**2
    return n / max(1.0, variance / (share * (1 - share) / n))
