"""Answers how large a shift is: the population stability index, from counts over the same bins.

The index is the symmetrised Kullback-Leibler divergence (Jeffreys 1946), named PSI in credit
scoring (Siddiqi: "Credit Risk Scorecards", 2006; 0.1 is a small shift, 0.2 one to act on). Of two
samples of one distribution it is not 0 but about chi-square with k - 1 degrees of freedom, times
1/n + 1/m (Yurdakul and Naranjo: "Statistical properties of the population stability index",
Journal of Risk Model Validation 14(4), 2020): that is what `expected_psi` takes off.
"""

import numpy as np
import numpy.typing as npt

from modeltrail.processors.drift.shares import Counts, Floats, smoothed_shares


def psi(observed: Counts, reference: Counts) -> Floats:
    """The sum over bins of (p - q) ln(p / q), shape (...); an empty bin counts as half a value.

    Args:
        observed: counts of k bins, at least one value, shape (..., k).
        reference: counts of the same k bins, at least one value, shape (..., k).
    """
    p, q = smoothed_shares(observed), smoothed_shares(reference)
    found: Floats = np.sum((p - q) * np.log(p / q), axis=-1)
    return found


def expected_psi(bins: int, effective: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """The mean of the index when nothing has shifted, shape (...).

    Args:
        bins: how many there are.
        effective: independent values observed, shape (...).
        reference: values of the reference, shape (...).
    """
    found: Floats = (bins - 1) * (np.divide(1.0, effective) + np.divide(1.0, reference))
    return found
