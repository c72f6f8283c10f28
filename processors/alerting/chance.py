"""Answers whether groups may lie as far apart as they do by chance.

Fisher's exact test of the two groups that lie farthest apart, both tails (twice the smaller one),
with Bonferroni's correction, as these two were chosen among all pairs. Every window is tested, so
the level is that of control charts, three standard deviations or 1 in 370 (Shewhart: Economic
Control of Quality of Manufactured Product, 1931); it is also the upper end of the "two or three
standard deviations" by which courts tell a disparity from chance (Castaneda v. Partida, 1977).

Values that are not 0 or 1 are taken as far apart as they can be: each as the least or the greatest
value of the two groups, in the shares that give their means. Of all values in a range and with a
mean those vary most (Hoeffding: Probability inequalities for sums of bounded random variables,
JASA 58, 1963), so that a difference that is no chance for them is none for milder ones either.

Frames in a row resemble each other, and a window does not know its sessions: the test says when
there is too little to alarm anybody, not that a difference is proven. `for_s` and longer windows
ask for more.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

#: P(|Z| > 3) of the standard normal distribution.
LEVEL = 0.0027
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of one group: how many, their mean, and between which values they lie."""

    count: int
    mean: Fraction
    least: float
    greatest: float


def may_be_chance(lower: Spread, higher: Spread, groups: int) -> bool:
    """Whether two groups, the farthest apart of `groups`, may differ by chance alone.

    Args:
        lower: the group with the lower mean.
        higher: the group with the higher mean.
        groups: how many were compared, 2 or more.
    """
    least = Fraction(min(lower.least, higher.least))
    width = Fraction(max(lower.greatest, higher.greatest)) - least
    if not width:
        return True
    hits = [_hits(each, least, width) for each in (lower, higher)]
    pairs = groups * (groups - 1) // 2
    return _is_tail_above(hits[0], lower.count, hits[1], higher.count, LEVEL / 2 / pairs)


def _hits(of: Spread, least: Fraction, width: Fraction) -> int:
    """How many values of a group are the greatest of both, the others being the least.

    A mean is rounded, its extremes are not: of values that are nearly the same it may lie beyond.
    """
    return min(max(round((of.mean - least) / width * of.count), 0), of.count)


def _is_tail_above(few: int, of_few: int, many: int, of_many: int, level: float) -> bool:
    """Whether P(X <= few) > level, X of `of_few` draws from the hits and misses of both groups."""
    hits, draws = few + many, of_few
    misses = of_few + of_many - hits
    if few * of_many > many * of_few:
        return True
    term = math.exp(
        _ln_choices(hits, few)
        + _ln_choices(misses, draws - few)
        - _ln_choices(hits + misses, draws)
    )
    total = 0.0
    # Terms fall on this side of the mean, so that few of them matter.
    while term > _NEGLIGIBLE * total:
        total += term
        if total > level:
            return True
        term *= few * (misses - draws + few) / ((hits - few + 1) * (draws - few + 1))
        few -= 1
    return False


def _ln_choices(of: int, taken: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)
