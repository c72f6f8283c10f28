"""Answers how often a masked face still is its own: the residual re-identification rate."""

from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import wilson


class Similarities:
    """How many similarities there are, and how many reach the cut-off, by lot of units."""

    def __init__(self, cutoff: float, lots: int) -> None:
        self._cutoff = cutoff
        self._lots = lots
        self._counts = np.zeros((lots, 2), np.int64)

    def add(self, values: npt.NDArray[np.float64], lots: npt.NDArray[np.int64] | None) -> None:
        """Take similarities, none of them missing."""
        places = np.zeros(len(values), np.int64) if lots is None else lots
        reached = values >= self._cutoff
        self._counts[:, 0] += np.bincount(places, minlength=self._lots)
        self._counts[:, 1] += np.bincount(places[reached], minlength=self._lots)

    def report(self, confidence: float) -> dict[str, Any]:
        """The share that reaches the cut-off, with Wilson's interval."""
        n, hits = (int(each) for each in self._counts.sum(axis=0))
        if not n:
            return {}
        share = hits / n
        effective = n / self._design_effect(share)
        low, high = wilson(share * effective, effective, confidence)
        note = f"cut-off {self._cutoff:g}"
        if self._lots > 1:
            note += f"; worth {effective:.0f} independent faces"
        figure = Figure("reidentification_rate", share, n, low, high, note)
        return {"reidentification_rate": figure, "cutoff": self._cutoff}

    def _design_effect(self, share: float) -> float:
        """How many faces are worth one, as faces of a unit resemble each other; 1 at the least.

        Source: Kish, "Survey Sampling", 1965: variance between units over that of single faces.
        """
        counts = self._counts[self._counts[:, 0] > 0]
        units, n = len(counts), int(counts[:, 0].sum())
        if units < 2 or not 0 < share < 1:
            # Nothing varies: units, not faces, are what could have been otherwise.
            return 1.0 if self._lots == 1 else n / units
        residual = counts[:, 1] - share * counts[:, 0]
        variance = units / (units - 1) * float(np.sum(residual**2)) / n**2
        return max(1.0, variance / (share * (1 - share) / n))
