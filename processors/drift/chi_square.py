"""Answers whether a categorical feature has shifted: the two-sample chi-square test on counts.

Counts of dependent values are scaled down to as many independent ones (the first-order correction
of Rao and Scott: "On chi-squared tests for multiway contingency tables with cell proportions
estimated from survey data", Annals of Statistics 12, 1984).
"""

import numpy as np

from modeltrail.processors.drift.shares import Counts
from modeltrail.processors.drift.tails import chi_square_tail


def chi_square(observed: Counts, reference: Counts, effective: float) -> tuple[float, float]:
    """The statistic, and the chance of it or a larger one when nothing has shifted.

    Bins that are empty on both sides say nothing and are left out.

    Args:
        observed: counts of k categories, at least one value.
        reference: counts of the same k categories, at least one value.
        effective: independent values that `observed` is worth.
    """
    held = (observed + reference) > 0
    seen = observed[held] * (effective / float(observed.sum()))
    known = reference[held].astype(np.float64)
    n, m = effective, float(known.sum())
    pooled = (seen + known) / (n + m)
    statistic = float(
        np.sum((seen - n * pooled) ** 2 / (n * pooled) + (known - m * pooled) ** 2 / (m * pooled))
    )
    degrees = int(held.sum()) - 1
    return statistic, chi_square_tail(statistic, degrees) if degrees else 1.0
