"""Answers how often a masked face still is its own: the residual re-identification rate."""

from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.dependence import effective_rows
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
        by_unit = self._counts[self._counts[:, 0] > 0]
        effective = float(n) if self._lots == 1 else effective_rows(by_unit)
        low, high = wilson(share * effective, effective, confidence)
        note = f"cut-off {self._cutoff:g}"
        if self._lots > 1:
            note += f"; worth {effective:.0f} independent faces"
        figure = Figure("reidentification_rate", share, n, low, high, note)
        return {"reidentification_rate": figure, "cutoff": self._cutoff}
