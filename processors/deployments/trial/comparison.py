"""Compares the arms in one metric: how much worse the candidate is than a margin lets it be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modeltrail.processors.deployments.trial.confidence_sequence import (
    Interval,
    Values,
    interval_of,
)
from modeltrail.processors.deployments.trial.pairing import Pair
from modeltrail.schemas.traffic_policy import Better


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a metric, whose values are not negative.

    Attributes:
        metric: its name.
        direction: which values are better.
        margin: how much worse than the champion's is let through, a share of it.
        alpha: probability that the answer is ever wrong, in all looks together.
    """

    metric: str
    direction: Better
    margin: float
    alpha: float


@dataclass(frozen=True, slots=True)
class ArmValues:
    """Mean and standard deviation over the sessions of an arm; 0 without any."""

    mean: float
    deviation: float

    def judged(self) -> dict[str, object]:
        """The numbers as JSON values."""
        return {"mean": self.mean, "sd": self.deviation}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The arms in one metric.

    Attributes:
        asked: the question.
        champion: mean and standard deviation of its sessions in the pairs.
        candidate: the same.
        excess: how much worse than the margin the candidate is, in units of the metric: below 0
            it is within the margin.
    """

    asked: Question
    champion: ArmValues
    candidate: ArmValues
    excess: Interval

    def within(self) -> bool:
        """Whether the candidate is within the margin, whatever chance did."""
        return self.excess.upper < 0

    def beyond(self) -> bool:
        """Whether the candidate is worse than the margin lets it be, whatever chance did."""
        return self.excess.lower > 0

    def told(self) -> str:
        """The numbers for people."""
        asked, mine, other, excess = self.asked, self.candidate, self.champion, self.excess
        ratio = f", {mine.mean / other.mean - 1:+.1%}" if other.mean else ""
        return (
            f"{asked.metric} is {mine.mean:.4g} against {other.mean:.4g}{ratio} ({excess.pairs} "
            f"pairs of sessions; worse than a margin of {asked.margin:.3g} by {excess.lower:.3g} "
            f"to {excess.upper:.3g})"
        )

    def judged(self) -> dict[str, object]:
        """The numbers as JSON values; an end that is infinite is null."""
        return {
            "metric": self.asked.metric,
            "direction": self.asked.direction.value,
            "margin": self.asked.margin,
            "alpha": self.asked.alpha,
            "champion": self.champion.judged(),
            "candidate": self.candidate.judged(),
            "pairs": self.excess.pairs,
            "excess": {
                "estimate": self.excess.estimate,
                "lower": _finite(self.excess.lower),
                "upper": _finite(self.excess.upper),
            },
        }


def compare(pairs: Sequence[Pair], metrics: Sequence[str], asked: Question) -> Comparison:
    """Compare the arms of a trial in one metric.

    Args:
        pairs: of sessions; those count in which both have the metric.
        metrics: what the means of the sessions are of.
        asked: the question.
    """
    lower = asked.direction is Better.LOWER
    values = _values(pairs, metrics.index(asked.metric)) if asked.metric in metrics else []
    return Comparison(
        asked,
        _arm([each.champion for each in values]),
        _arm([each.candidate for each in values]),
        interval_of(
            values,
            1 + asked.margin if lower else 1 - asked.margin,
            1 if lower else -1,
            asked.alpha,
        ),
    )


def _values(pairs: Sequence[Pair], place: int) -> list[Values]:
    return [
        Values(mine, other)
        for champion, candidate in pairs
        if (mine := champion.means[place]) is not None
        and (other := candidate.means[place]) is not None
    ]


def _arm(values: Sequence[float]) -> ArmValues:
    count = len(values)
    if not count:
        return ArmValues(0.0, 0.0)
    mean = math.fsum(values) / count
    squares = math.fsum((value - mean) ** 2 for value in values)
    return ArmValues(mean, math.sqrt(squares / (count - 1)) if count > 1 else 0.0)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
