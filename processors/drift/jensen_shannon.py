"""Answers how far two distributions are apart on a scale from 0 to 1, from counts.

The Jensen-Shannon distance is the square root of the divergence to base 2, a metric (Endres and
Schindelin: "A new metric for probability distributions", IEEE Trans. Inf. Theory 49(7), 2003).
"""

import math

import numpy as np

from modeltrail.processors.drift.shares import Counts, Floats


def jensen_shannon_distance(observed: Counts, reference: Counts) -> float:
    """0 for equal shares, 1 for disjoint ones; empty bins need no smoothing.

    Args:
        observed: counts of k bins, at least one value.
        reference: counts of the same k bins, at least one value.
    """
    p, q = observed / observed.sum(), reference / reference.sum()
    middle = (p + q) / 2
    divergence = (_bits(p, middle) + _bits(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _bits(p: Floats, q: Floats) -> float:
    held = p > 0
    return float(np.sum(p[held] * np.log2(p[held] / q[held])))
