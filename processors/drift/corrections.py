"""Answers which of several tests still convince when all of them are looked at.

Benjamini and Hochberg: "Controlling the false discovery rate", J. R. Statist. Soc. B 57, 1995.
"""

from collections.abc import Sequence

import numpy as np


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """The least false discovery rate at which each test is still a discovery, in the same order."""
    if not p_values:
        return []
    ordered = np.argsort(p_values)
    ranks = np.arange(1, len(p_values) + 1)
    scaled = np.asarray(p_values)[ordered] * len(p_values) / ranks
    adjusted = np.empty(len(p_values))
    adjusted[ordered] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return [float(value) for value in adjusted]
