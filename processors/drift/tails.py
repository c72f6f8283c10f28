"""Types the two tail functions of scipy that the tests of drift need, of any shape."""

import numpy.typing as npt
from scipy import special  # type: ignore[import-untyped]

from modeltrail.processors.drift.shares import Floats


def kolmogorov_tail(x: npt.ArrayLike) -> Floats:
    """P(K > x) of Kolmogorov's limiting distribution."""
    found: Floats = special.kolmogorov(x)
    return found


def chi_square_tail(statistic: npt.ArrayLike, degrees: npt.ArrayLike) -> Floats:
    """P(X > statistic) of the chi-square distribution, degrees at least 1."""
    found: Floats = special.chdtrc(degrees, statistic)
    return found
