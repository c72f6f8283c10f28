"""Answers what share of the values each bin holds, without a zero that a logarithm chokes on."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer[Any]]


def smoothed_shares(counts: Counts) -> Floats:
    """Shares of the total, at least 1; an empty bin counts as half a value, others as they are.

    So shares are exact where no bin is empty, and sum to a little over 1 elsewhere.
    """
    return np.maximum(counts, 0.5) / float(counts.sum())
