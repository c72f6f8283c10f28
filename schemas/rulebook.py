"""Answers which rules and which drift policy hold for a model at a time, and which may be set."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    ANY_MODEL,
    DriftPolicySet,
    Severity,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import EVENT_ID_BYTES, EventId, Micros, ModelId
from modeltrail.schemas.rule_problems import WINDOWS, problem_of, problems_of

__all__ = ["DEFAULT_POLICY", "WINDOWS", "RuleBook", "problem_of", "problems_of"]

#: What holds where nobody set a policy: a reference profile is enough to be told about drift.
DEFAULT_POLICY = DriftPolicySet(
    event_id=EventId(bytes(EVENT_ID_BYTES)),
    occurred_at=Micros(0),
    model_id=ANY_MODEL,
    severity=Severity.WARNING,
)

T = TypeVar("T", ThresholdsSet, DriftPolicySet)


@dataclass(slots=True)
class _Timeline(Generic[T]):
    """What was set for one model, by append time; the log gives them in the order of offsets."""

    offsets: list[int] = field(default_factory=list)
    appended_us: list[int] = field(default_factory=list)
    facts: list[T] = field(default_factory=list)
    since_us: list[int] = field(default_factory=list)

    def add(self, offset: int, appended_us: int, fact: T) -> None:
        """Take one fact, unless it is there already."""
        at = bisect_left(self.offsets, offset)
        if at < len(self.offsets) and self.offsets[at] == offset:
            return
        self.offsets.insert(at, offset)
        self.appended_us.insert(at, appended_us)
        self.facts.insert(at, fact)
        # A broker whose clock was set back must not put a fact before the one that it replaces.
        self.since_us = []
        for appended in self.appended_us:
            self.since_us.append(max(appended, self.since_us[-1] if self.since_us else appended))

    def before(self, time_us: int) -> T | None:
        """The newest fact that was appended before `time_us`."""
        at = bisect_left(self.since_us, time_us)
        return self.facts[at - 1] if at else None


class RuleBook:
    """The rules of every model as a timeline: facts may come early, twice, and in any order.

    A set with a problem is ignored as a whole: what held before still does. What a model sets
    replaces the defaults of the same name, which are set under the model id `*`.
    """

    def __init__(self) -> None:
        self._thresholds: dict[ModelId, _Timeline[ThresholdsSet]] = {}
        self._policies: dict[ModelId, _Timeline[DriftPolicySet]] = {}
        self._merged: dict[
            ModelId, tuple[ThresholdsSet | None, ThresholdsSet | None, tuple[ThresholdRule, ...]]
        ] = {}

    def set(self, record: Appended) -> None:
        """Take a fact of the rules topic; anything but thresholds and policies is passed over."""
        fact, appended_us = record.fact, record.appended_ms * 1000
        if not isinstance(fact, ThresholdsSet | DriftPolicySet) or problems_of(fact):
            return
        if isinstance(fact, ThresholdsSet):
            self._thresholds.setdefault(fact.model_id, _Timeline()).add(
                record.offset, appended_us, fact
            )
        else:
            self._policies.setdefault(fact.model_id, _Timeline()).add(
                record.offset, appended_us, fact
            )

    def thresholds_at(self, model_id: ModelId, time_us: Micros) -> tuple[ThresholdRule, ...]:
        """The rules that were appended before `time_us`: for a window, its end.

        The same tuple as long as nothing was set in between.
        """
        own = _before(self._thresholds, model_id, time_us)
        default = _before(self._thresholds, ANY_MODEL, time_us)
        known = self._merged.get(model_id)
        if known is not None and known[0] is own and known[1] is default:
            return known[2]
        rules = _merge(own, default)
        self._merged[model_id] = (own, default, rules)
        return rules

    def policy_at(self, model_id: ModelId, time_us: Micros) -> DriftPolicySet | None:
        """The drift policy that was appended before `time_us`: the model's own or the default."""
        return _before(self._policies, model_id, time_us) or _before(
            self._policies, ANY_MODEL, time_us
        )

    def policy_in_force(self, model_id: ModelId, time_us: Micros) -> DriftPolicySet | None:
        """As `policy_at`, or what holds without any; None: drift is switched off."""
        policy = self.policy_at(model_id, time_us) or DEFAULT_POLICY
        return policy if policy.enabled else None


def _before(timelines: Mapping[ModelId, _Timeline[T]], model_id: ModelId, time_us: int) -> T | None:
    timeline = timelines.get(model_id)
    return timeline.before(time_us) if timeline else None


def _merge(own: ThresholdsSet | None, default: ThresholdsSet | None) -> tuple[ThresholdRule, ...]:
    rules = own.rules if own else ()
    names = {rule.name for rule in rules}
    return (
        *rules,
        *(rule for rule in (default.rules if default else ()) if rule.name not in names),
    )
