"""Types the two tail functions of scipy that the tests of drift need."""

from scipy import special  # type: ignore[import-untyped]


def kolmogorov_tail(x: float) -> float:
    """P(K > x) of Kolmogorov's limiting distribution."""
    return float(special.kolmogorov(x))


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(X > statistic) of the chi-square distribution."""
    return float(special.chdtrc(degrees, statistic))
