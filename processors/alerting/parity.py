"""Answers how far apart the groups of a metric lie in a window.

A group is a metric `METRIC@GROUP`, `missed@a` beside `missed@b`, that the model declares. Nodes
record it for people who consented to their label being used: nothing here or elsewhere in a
worker infers one, and a measurement without labels belongs to no group.

The values are those of demographic parity (Dwork et al.: Fairness through Awareness, ITCS 2012) as
fairlearn's `demographic_parity_ratio` and `demographic_parity_difference` define them between
groups: of the means by group, which are rates where values are 0 or 1, the least over the greatest,
and the greatest less the least. A ratio under 0.8 breaks the four-fifths rule (29 CFR 1607.4(D)).
Where all means are 0 fairlearn's ratio is NaN: here it is 1, as the groups are alike.

Of small groups such values are often far from parity without a cause: `may_be_chance` says so.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from modeltrail.processors.alerting.chance import Spread, may_be_chance
from modeltrail.schemas.events import MetricWindow, WindowClosed
from modeltrail.schemas.rule_problems import GROUP_MARK
from modeltrail.schemas.sketch import FRACTION_BITS


class GroupMean(NamedTuple):
    """The mean of a group, exact: groups that just meet a limit must not break it by rounding."""

    mean: Fraction
    group: str


class Parity(NamedTuple):
    """The two groups that lie farthest apart, and the values of all groups that were judged."""

    least: GroupMean
    greatest: GroupMean
    samples: int
    may_be_chance: bool

    @property
    def difference(self) -> float:
        """Greatest less least mean, in the unit of the metric: 0 is parity."""
        return float(self.greatest.mean - self.least.mean)

    @property
    def ratio(self) -> float | None:
        """Least over greatest mean, 0 to 1: 1 is parity; None: means below 0 have no ratio."""
        if self.least.mean < 0:
            return None
        if not self.greatest.mean:
            return 1.0
        return float(self.least.mean / self.greatest.mean)


def parity_of(window: WindowClosed, metric: str, minimum_samples: int) -> Parity | None:
    """Compare the groups of `metric` that have at least `minimum_samples` values in `window`.

    None: there are fewer than two of them, so there is nothing to compare.
    """
    groups = [each for each in _groups(window, metric) if each[1].count >= minimum_samples]
    if len(groups) < 2:
        return None
    # Of equal means the name decides, so that the order of metrics does not.
    means = sorted(
        ((GroupMean(_mean(held), group), held) for group, held in groups), key=lambda pair: pair[0]
    )
    (least, lower), (greatest, higher) = means[0], means[-1]
    return Parity(
        least,
        greatest,
        sum(held.count for _, held in groups),
        may_be_chance(_spread(least, lower), _spread(greatest, higher), len(groups)),
    )


def _spread(of: GroupMean, held: MetricWindow) -> Spread:
    return Spread(held.count, of.mean, held.min, held.max)


def _groups(window: WindowClosed, metric: str) -> Iterator[tuple[str, MetricWindow]]:
    for held in window.metrics:
        name, _, group = held.name.partition(GROUP_MARK)
        if name == metric and group and held.count:
            yield group, held


def _mean(held: MetricWindow) -> Fraction:
    total = (held.sum_whole << FRACTION_BITS) + held.sum_fraction
    return Fraction(total, held.count << FRACTION_BITS)
