"""Answers what share of the values each bin holds, without a zero that a logarithm chokes on.

The statistics of drift are functions over the last axis: of counts of shape (..., bins) they make
numbers of shape (...). No number depends on what else is in the arrays, not even in its last digit,
so a series that is judged alone gets what it gets among a thousand: sums run over the last axis
only, and nothing is padded to a common length.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: Whole numbers, whether or not their type is an integer.
Counts = npt.NDArray[np.integer[Any]] | Floats


def shares(counts: Counts) -> Floats:
    """Shares of the total, at least 1; shape (..., bins) in and out."""
    found: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return found


def smoothed_shares(counts: Counts) -> Floats:
    """Shares of the total, at least 1; an empty bin counts as half a value, others as they are.

    So shares are exact where no bin is empty, and sum to a little over 1 elsewhere. Shape
    (..., bins) in and out.
    """
    found: Floats = np.maximum(counts, 0.5) / counts.sum(axis=-1, keepdims=True)
    return found
