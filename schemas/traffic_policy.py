"""Answers how a version gets its traffic: settings of the trial and of the shares in production."""

from dataclasses import dataclass
from enum import StrEnum

from modeltrail.schemas.events import Severity
from modeltrail.schemas.policy_kinds import (
    METRIC,
    POSITIVE_SECONDS,
    SECONDS,
    choice,
    list_of,
    number,
    required,
    section,
    setting,
    text,
    whole,
)
from modeltrail.schemas.registry_names import check_alias
from modeltrail.schemas.routing import WHOLE

_PERCENT = number(1 / 100, 100.0)


class Better(StrEnum):
    """Which values of a metric are better."""

    LOWER = "LOWER"
    HIGHER = "HIGHER"


class Goal(StrEnum):
    """What an A/B test must show."""

    NOT_WORSE = "NOT_WORSE"
    BETTER = "BETTER"


class OnInconclusive(StrEnum):
    """What becomes of a deployment whose A/B test decided nothing in time."""

    STOP = "STOP"
    GO_ON = "GO_ON"


def _check_optional_alias(value: str) -> None:
    if value:
        check_alias(value)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that stops a step at once when the candidate is worse by more than a margin."""

    metric: str = required(METRIC, "which metric")
    direction: Better = setting(Better.LOWER, choice(Better), "which values are better")
    margin: float = setting(0.05, number(0.0, 1000.0), "how much worse is let through, a share")
    minimum_sessions: int = setting(10, whole(2, 1_000_000), "sessions of each arm before it acts")


_GUARDRAILS = list_of(section(Guardrail), 0, 16)


@dataclass(frozen=True, slots=True)
class AbTestPolicy:
    """How the candidate is compared with production under real traffic, by session."""

    share_percent: float = setting(50.0, _PERCENT, "traffic of the candidate, %")
    metric: str = setting("latency_ms", METRIC, "the metric that decides")
    direction: Better = setting(Better.LOWER, choice(Better), "which values are better")
    goal: Goal = setting(Goal.NOT_WORSE, choice(Goal), "what must be shown")
    margin: float = setting(0.05, number(0.0, 1000.0), "how much worse is let through, a share")
    alpha: float = setting(
        0.05, number(0.0, 0.5, open_ends=True), "probability of a wrong verdict, at most"
    )
    frames_per_session: int = setting(20, whole(1, 1_000_000), "measurements of a session")
    minimum_sessions: int = setting(20, whole(2, 10_000_000), "sessions of each arm, at least")
    maximum_sessions: int = setting(1000, whole(2, 10_000_000), "sessions of each arm, at most")
    deadline_s: float = setting(3600.0, POSITIVE_SECONDS, "longest time, s")
    guardrails: tuple[Guardrail, ...] = setting((), _GUARDRAILS, "what stops it at once")
    srm_alpha: float = setting(
        0.001, number(0.0, 0.5, open_ends=True), "probability of a false sample-ratio mismatch"
    )
    on_inconclusive: OnInconclusive = setting(
        OnInconclusive.STOP, choice(OnInconclusive), "what if it decided nothing in time"
    )


@dataclass(frozen=True, slots=True)
class ProductionPolicy:
    """How traffic goes over to the candidate, and what takes it back."""

    shares_percent: tuple[float, ...] = setting(
        (5.0, 25.0, 50.0, 100.0), list_of(_PERCENT, 1, 20), "its shares, one after the other, %"
    )
    hold_s: float = setting(60.0, SECONDS, "how long each share is held, s")
    minimum_sessions: int = setting(
        0, whole(0, 10_000_000), "sessions of the candidate at each share, at least"
    )
    frames_per_session: int = setting(20, whole(1, 1_000_000), "measurements of a session")
    guardrails: tuple[Guardrail, ...] = setting((), _GUARDRAILS, "what takes it back at once")
    deadline_s: float = setting(3600.0, POSITIVE_SECONDS, "longest time of each share, s")
    rollback_on: Severity = setting(
        Severity.CRITICAL, choice(Severity), "lowest severity of an alert that takes it back"
    )
    watch_s: float = setting(3600.0, SECONDS, "how long alerts take it back afterwards, s")
    alias: str = setting(
        "", text(_check_optional_alias, maxLength=1000), "alias that then points there; empty: none"
    )


def share_of_percent(percent: float) -> int:
    """A share of traffic in 1/10000."""
    return round(percent * 100)


def _sessions_problem(policy: AbTestPolicy) -> str | None:
    if policy.maximum_sessions < policy.minimum_sessions:
        return (
            f"maximum_sessions {policy.maximum_sessions} is less than minimum_sessions: "
            f"give {policy.minimum_sessions} or more"
        )
    if share_of_percent(policy.share_percent) == WHOLE:
        return "share_percent 100 leaves nothing to compare with: give less"
    return _guardrails_problem(policy.guardrails)


def _production_problem(policy: ProductionPolicy) -> str | None:
    shares = [share_of_percent(percent) for percent in policy.shares_percent]
    if shares != sorted(set(shares)):
        return "shares_percent must rise: give each share once, the smallest first"
    if shares[-1] != WHOLE:
        return "shares_percent must end with 100: add it"
    if policy.deadline_s < policy.hold_s:
        return f"deadline_s {policy.deadline_s:g} is over before hold_s: give more than hold_s"
    return _guardrails_problem(policy.guardrails)


def _guardrails_problem(guardrails: tuple[Guardrail, ...]) -> str | None:
    metrics = [guardrail.metric for guardrail in guardrails]
    if len(set(metrics)) < len(metrics):
        return "guardrails name a metric twice: keep one of them"
    return None


AB_TEST = section(AbTestPolicy, _sessions_problem)
PRODUCTION = section(ProductionPolicy, _production_problem)
