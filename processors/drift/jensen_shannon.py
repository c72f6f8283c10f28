"""Answers how far two distributions are apart on a scale from 0 to 1, from counts.

The Jensen-Shannon distance is the square root of the divergence to base 2, a metric (Endres and
Schindelin: "A new metric for probability distributions", IEEE Trans. Inf. Theory 49(7), 2003).
"""

import numpy as np

from modeltrail.processors.drift.shares import Counts, Floats, shares


def jensen_shannon_distance(observed: Counts, reference: Counts) -> Floats:
    """0 for equal shares, 1 for disjoint ones, shape (...); empty bins need no smoothing.

    Args:
        observed: counts of k bins, at least one value, shape (..., k).
        reference: counts of the same k bins, at least one value, shape (..., k).
    """
    p, q = shares(observed), shares(reference)
    middle = (p + q) / 2
    found: Floats = np.sqrt(np.clip((_bits(p, middle) + _bits(q, middle)) / 2, 0.0, 1.0))
    return found


def _bits(p: Floats, q: Floats) -> Floats:
    held = p > 0
    ratio = np.where(held, p, 1.0) / np.where(held, q, 1.0)
    found: Floats = np.sum(p * np.log2(ratio), axis=-1)
    return found
