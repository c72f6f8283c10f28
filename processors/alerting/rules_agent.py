"""Answers rules that were appended without being checked: those with a problem are rejected."""

from modeltrail.schemas.events import DriftPolicySet, Fact, RuleRejected, ThresholdsSet
from modeltrail.schemas.ids import LONGEST_ID, ModelId, derived_event_id
from modeltrail.schemas.rule_problems import problems_of, told


def rejection_of(fact: Fact) -> RuleRejected | None:
    """Why `fact` is not in force; None: it is, or it sets no rules.

    The whole set is rejected for its first problem; `detail` tells all of them.
    """
    if not isinstance(fact, ThresholdsSet | DriftPolicySet):
        return None
    problems = problems_of(fact)
    if not problems:
        return None
    rule, _ = problems[0]
    return RuleRejected(
        event_id=derived_event_id(RuleRejected.record, fact.event_id),
        occurred_at=fact.occurred_at,
        # Its length may be what it is rejected for.
        model_id=ModelId(fact.model_id[:LONGEST_ID]),
        rejected_id=fact.event_id,
        rule=rule[:LONGEST_ID],
        detail=told(problems),
    )
