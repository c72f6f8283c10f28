"""Answers which rules and policies are set, from the facts of the rules topic."""

from modeltrail.schemas.events import DriftPolicySet, Fact, ThresholdsSet
from modeltrail.schemas.ids import ModelId
from modeltrail.schemas.rulebook import problems_of


class RulesView:
    """The newest rules and policy of each model; facts come in the order of their partition."""

    def __init__(self) -> None:
        self._thresholds: dict[ModelId, ThresholdsSet] = {}
        self._policies: dict[ModelId, DriftPolicySet] = {}

    def absorb(self, fact: Fact) -> None:
        """Take one fact; what has a problem is not in force and changes nothing."""
        if not isinstance(fact, ThresholdsSet | DriftPolicySet) or problems_of(fact):
            return
        if isinstance(fact, ThresholdsSet):
            self._thresholds[fact.model_id] = fact
        else:
            self._policies[fact.model_id] = fact

    def in_force(self, model_id: str = "") -> tuple[ThresholdsSet | DriftPolicySet, ...]:
        """What was set for a model, or for each one: the defaults under `*` first."""
        wanted = [ModelId(model_id)] if model_id else sorted({*self._thresholds, *self._policies})
        return tuple(
            fact
            for model in wanted
            for fact in (self._thresholds.get(model), self._policies.get(model))
            if fact is not None
        )
