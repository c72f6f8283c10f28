"""Answers which of several tests still convince when all of them are looked at.

Benjamini and Hochberg: "Controlling the false discovery rate", J. R. Statist. Soc. B 57, 1995.
"""

from collections.abc import Sequence


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """The least false discovery rate at which each test is still a discovery, in the same order."""
    tests = len(p_values)
    adjusted = [1.0] * tests
    least = 1.0
    rising = sorted(range(tests), key=p_values.__getitem__)
    for rank in range(tests, 0, -1):
        test = rising[rank - 1]
        least = min(least, p_values[test] * tests / rank)
        adjusted[test] = least
    return adjusted
