"""Writes rules and policies as the YAML that they can be set from."""

from collections.abc import Iterable
from dataclasses import Field, fields
from enum import Enum
from typing import Any

import yaml

from modeltrail.schemas.events import DriftPolicySet, Statistic, ThresholdRule, ThresholdsSet
from modeltrail.schemas.ids import ModelId
from modeltrail.schemas.rulebook import DEFAULT_POLICY

_NOT_OF_POLICY = ("event_id", "occurred_at", "model_id", "set_by")


def rules_text(facts: Iterable[ThresholdsSet | DriftPolicySet]) -> str:
    """The YAML from which `parse_rules` reads the same rules and policies."""
    models: dict[ModelId, dict[str, Any]] = {}
    for fact in facts:
        of_model = models.setdefault(fact.model_id, {})
        if isinstance(fact, ThresholdsSet):
            of_model["rules"] = [_rule(rule) for rule in fact.rules]
        else:
            of_model["drift"] = _policy(fact)
    return yaml.safe_dump(dict(models), sort_keys=False, allow_unicode=True) if models else ""


def _rule(rule: ThresholdRule) -> dict[str, Any]:
    said = {
        field.name: _plain(value)
        for field in fields(rule)
        if (value := getattr(rule, field.name)) != _default(rule, field)
    }
    side = said.pop("direction").lower()
    if rule.statistic is Statistic.NO_DATA:
        del said["threshold"]
    return {side if name == "threshold" else name: value for name, value in said.items()}


def _default(rule: ThresholdRule, field: "Field[Any]") -> Any:
    if field.name == "window" and rule.statistic is Statistic.VALUE:
        return ""
    return field.default


def _policy(policy: DriftPolicySet) -> dict[str, Any]:
    return {
        field.name: _plain(value)
        for field in fields(policy)
        if field.name not in _NOT_OF_POLICY
        and (value := getattr(policy, field.name)) != getattr(DEFAULT_POLICY, field.name)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
