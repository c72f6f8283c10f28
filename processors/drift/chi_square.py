"""Answers whether a categorical feature has shifted: the two-sample chi-square test on counts.

Counts of dependent values are scaled down to as many independent ones (the first-order correction
of Rao and Scott: "On chi-squared tests for multiway contingency tables with cell proportions
estimated from survey data", Annals of Statistics 12, 1984).
"""

import numpy as np
import numpy.typing as npt

from modeltrail.processors.drift.shares import Counts, Floats
from modeltrail.processors.drift.tails import chi_square_tail


def chi_square(
    observed: Counts, reference: Counts, effective: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """The statistic, and the chance of it or a larger one when nothing has shifted, shapes (...).

    Bins that are empty on both sides say nothing: they add nothing.

    Args:
        observed: counts of k categories, at least one value, shape (..., k).
        reference: counts of the same k categories, at least one value, shape (..., k).
        effective: independent values that `observed` is worth, more than 0, shape (...).
    """
    n = np.asarray(effective, np.float64)[..., None]
    m = reference.sum(axis=-1, keepdims=True)
    seen = observed * (n / observed.sum(axis=-1, keepdims=True))
    held = (observed + reference) > 0
    pooled = (seen + reference) / (n + m)
    divisor = np.where(held, pooled, 1.0)
    terms = (seen - n * pooled) ** 2 / (n * divisor) + (reference - m * pooled) ** 2 / (m * divisor)
    statistic: Floats = np.sum(terms, axis=-1)
    degrees = held.sum(axis=-1) - 1
    tail = chi_square_tail(statistic, np.maximum(degrees, 1))
    return statistic, np.where(degrees > 0, tail, 1.0)
