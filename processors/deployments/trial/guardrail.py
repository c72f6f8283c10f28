"""Answers which guardrails a candidate has broken: worse than the margin, whatever chance did."""

from collections.abc import Sequence
from dataclasses import dataclass

from modeltrail.processors.deployments.trial.comparison import Comparison, Question, compare
from modeltrail.processors.deployments.trial.pairing import Pair
from modeltrail.schemas.traffic_policy import Guardrail


@dataclass(frozen=True, slots=True)
class Watched:
    """A guardrail, and how the candidate stands to it."""

    comparison: Comparison
    minimum_sessions: int

    def broken(self) -> bool:
        """Whether it stops the candidate at once."""
        return self.seen() and self.comparison.beyond()

    def seen(self) -> bool:
        """Whether enough sessions of both arms have the metric."""
        return self.comparison.excess.pairs >= self.minimum_sessions

    def judged(self) -> dict[str, object]:
        """The numbers as JSON values."""
        return {
            **self.comparison.judged(),
            "minimum_sessions": self.minimum_sessions,
            "seen": self.seen(),
            "broken": self.broken(),
        }


def watch(
    pairs: Sequence[Pair], metrics: Sequence[str], guardrails: Sequence[Guardrail], alpha: float
) -> list[Watched]:
    """Look at every guardrail.

    Args:
        pairs: of sessions.
        metrics: what the means of the sessions are of.
        guardrails: of the policy.
        alpha: probability that any of them ever stops a candidate that keeps all; each gets an
            equal part of it (Bonferroni).
    """

    def watched(guardrail: Guardrail) -> Watched:
        part = alpha / len(guardrails)
        asked = Question(guardrail.metric, guardrail.direction, guardrail.margin, part)
        return Watched(compare(pairs, metrics, asked), guardrail.minimum_sessions)

    return [watched(guardrail) for guardrail in guardrails]


def told_of(watched: Sequence[Watched]) -> str:
    """The broken ones for people; empty: none is broken."""
    return "; ".join(each.comparison.told() for each in watched if each.broken())


def unseen_of(watched: Sequence[Watched]) -> str:
    """Those that could not act yet, for people; empty: all could."""
    return "; ".join(
        f"guardrail {each.comparison.asked.metric} has {each.comparison.excess.pairs} of "
        f"{each.minimum_sessions} pairs of sessions that measured it"
        for each in watched
        if not each.seen()
    )
