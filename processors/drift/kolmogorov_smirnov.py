"""Answers whether a numeric feature has shifted: the two-sample Kolmogorov-Smirnov test on counts.

Both distribution functions are known at the inner edges of the bins, so the distance is a lower
bound of the one on raw values and the test errs towards "no shift" (Noether: "Note on the
Kolmogorov statistic in the discrete case", Metrika 7, 1963). The p-value is the limiting one with
the correction for small samples of Stephens ("Use of the Kolmogorov-Smirnov, Cramer-von Mises and
related statistics without extensive tables", J. R. Statist. Soc. B 32, 1970).
"""

import math

import numpy as np

from modeltrail.processors.drift.shares import Counts
from modeltrail.processors.drift.tails import kolmogorov_tail


def ks_distance(observed: Counts, reference: Counts) -> float:
    """The largest distance of the distribution functions at the edges, 0 to 1.

    Args:
        observed: counts of k bins in rising order, at least one value.
        reference: counts of the same k bins, at least one value.
    """
    p, q = observed / observed.sum(), reference / reference.sum()
    return float(np.max(np.abs(np.cumsum(p - q))))


def ks_p_value(distance: float, effective: float, reference: float) -> float:
    """The chance of such a distance, or a larger one, when nothing has shifted.

    Args:
        distance: 0 to 1.
        effective: independent values observed.
        reference: values of the reference.
    """
    root = math.sqrt(effective * reference / (effective + reference))
    return kolmogorov_tail(distance * (root + 0.12 + 0.11 / root))
