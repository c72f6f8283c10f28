"""Answers whether a numeric feature has shifted: the two-sample Kolmogorov-Smirnov test on counts.

Both distribution functions are known at the inner edges of the bins, so the distance is a lower
bound of the one on raw values and the test errs towards "no shift" (Noether: "Note on the
Kolmogorov statistic in the discrete case", Metrika 7, 1963). The p-value is the limiting one with
the correction for small samples of Stephens ("Use of the Kolmogorov-Smirnov, Cramer-von Mises and
related statistics without extensive tables", J. R. Statist. Soc. B 32, 1970).
"""

import numpy as np
import numpy.typing as npt

from modeltrail.processors.drift.shares import Counts, Floats, shares
from modeltrail.processors.drift.tails import kolmogorov_tail


def ks_distance(observed: Counts, reference: Counts) -> Floats:
    """The largest distance of the distribution functions at the edges, 0 to 1, shape (...).

    Args:
        observed: counts of k bins in rising order, at least one value, shape (..., k).
        reference: counts of the same k bins, at least one value, shape (..., k).
    """
    apart = np.cumsum(shares(observed) - shares(reference), axis=-1)
    found: Floats = np.max(np.abs(apart), axis=-1)
    return found


def ks_p_value(
    distance: npt.ArrayLike, effective: npt.ArrayLike, reference: npt.ArrayLike
) -> Floats:
    """The chance of such a distance, or a larger one, when nothing has shifted, shape (...).

    Args:
        distance: 0 to 1, shape (...).
        effective: independent values observed, more than 0, shape (...).
        reference: values of the reference, shape (...).
    """
    n, m = np.asarray(effective, np.float64), np.asarray(reference, np.float64)
    root = np.sqrt(n * m / (n + m))
    return kolmogorov_tail(np.multiply(distance, root + 0.12 + 0.11 / root))
