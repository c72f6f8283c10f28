"""Reads rules from YAML: what a person writes for each model, or for all under `*`.

    "*":
      rules:
        - {name: SILENT, statistic: NO_DATA, window: 1m}
    centerface:
      latency_threshold: 50        # HIGH_LATENCY: p95 of latency_ms over 10 s is above 50 ms
      accuracy_threshold: 0.9      # LOW_ACCURACY: mean accuracy over 1 min is below 0.9
      rules:
        - name: DROPPED_FRAMES
          metric: dropped_frames
          statistic: SHARE
          window: 1m
          above: 0.05
          resolve_threshold: 0.03
          for_s: 30
          severity: CRITICAL
        - name: UNFAIR_MISSES      # of missed@a, missed@b, …: groups of people who consented
          metric: missed
          statistic: PARITY_RATIO
          window: 5m
          below: 0.8
          minimum_samples: 100     # of each group
      drift: {window: 5m, persistence: 2}

A percentile, not single values, is behind `latency_threshold`: one slow frame is no incident.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import (
    Direction,
    DriftPolicySet,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import EVENT_ID_BYTES, EventId, Micros, ModelId
from modeltrail.schemas.rule_problems import problem_of, problems_of
from modeltrail.schemas.rulebook import DEFAULT_POLICY
from modeltrail.schemas.yaml_places import NotYaml, Place, Reader, root_of
from modeltrail.schemas.yaml_values import names, number, one_of, switch, text, whole

#: The short forms of rules that most models have.
SHORT_FORMS: Mapping[str, ThresholdRule] = MappingProxyType(
    {
        "latency_threshold": ThresholdRule(
            name="HIGH_LATENCY",
            metric="latency_ms",
            statistic=Statistic.P95,
            window="10s",
            direction=Direction.ABOVE,
            threshold=0.0,
            severity=Severity.WARNING,
        ),
        "accuracy_threshold": ThresholdRule(
            name="LOW_ACCURACY",
            metric="accuracy",
            statistic=Statistic.MEAN,
            window="1m",
            direction=Direction.BELOW,
            threshold=0.0,
            severity=Severity.WARNING,
        ),
    }
)
_MODEL_FIELDS = (*SHORT_FORMS, "rules", "drift")
_SIDES = {"above": Direction.ABOVE, "below": Direction.BELOW}
_RULE_FIELDS = (*(field.name for field in fields(ThresholdRule)), *_SIDES)
_POLICY_FIELDS = tuple(
    field.name
    for field in fields(DriftPolicySet)
    if field.name not in ("event_id", "occurred_at", "model_id", "set_by")
)
_NEEDED = ("name", "metric", "statistic", "window", "direction", "threshold")
#: What needs not be said: silence is less than one measurement.
_IMPLIED: Mapping[Any, Mapping[str, Any]] = MappingProxyType(
    {
        Statistic.NO_DATA: {"metric": "", "direction": Direction.BELOW, "threshold": 1.0},
        Statistic.VALUE: {"window": ""},
    }
)


class RulesFileInvalid(ModeltrailError, ValueError):
    """The rules cannot be set as they are: each line of the message says why and what to do."""


def parse_rules(yaml_text: str) -> tuple[ThresholdsSet | DriftPolicySet, ...]:
    """The rules and policies in a text, as drafts: without identity, time and who set them.

    Raises:
        RulesFileInvalid: everything that is wrong, with line, field and the nearest name.
    """
    reader = Reader()
    try:
        root = root_of(yaml_text)
    except NotYaml as error:
        raise RulesFileInvalid(str(error)) from error
    drafts = [] if root is None else _drafts(reader, root)
    if reader.problems:
        raise RulesFileInvalid("\n".join(reader.problems))
    if not drafts:
        raise RulesFileInvalid('no rules: begin with a model id, or "*" for all models')
    return tuple(drafts)


def _drafts(reader: Reader, root: Place) -> list[ThresholdsSet | DriftPolicySet]:
    drafts: list[ThresholdsSet | DriftPolicySet] = []
    for model_id, place in reader.items(root):
        before = len(reader.problems)
        found = _of_model(reader, ModelId(model_id), place)
        if len(reader.problems) == before:
            # What is wrong with single rules was told with their lines.
            for draft in found:
                for about, problem in problems_of(draft):
                    reader.complain(place, f"{about}: {problem}" if about else problem)
        drafts += found
    return drafts


def _of_model(
    reader: Reader, model_id: ModelId, place: Place
) -> list[ThresholdsSet | DriftPolicySet]:
    rules: list[ThresholdRule | None] | None = None
    policies = []
    for name, value in reader.items(place, _MODEL_FIELDS):
        if name == "drift":
            policies.append(_policy(reader, value, model_id))
            continue
        rules = rules or []
        if name == "rules":
            rules += [_rule(reader, each) for each in reader.elements(value)]
        elif (limit := number(reader, value)) is not None:
            rules.append(_checked(reader, value, replace(SHORT_FORMS[name], threshold=limit)))
    if rules is None:
        return [*policies]
    good = tuple(rule for rule in rules if rule is not None)
    draft_id = EventId(bytes(EVENT_ID_BYTES))
    return [ThresholdsSet(draft_id, Micros(0), model_id, good), *policies]


def _rule(reader: Reader, place: Place) -> ThresholdRule | None:
    before = len(reader.problems)
    given = _values(reader, place, _RULE_FIELDS, _RULE_READERS)
    for side, direction in _SIDES.items():
        if side in given:
            if "threshold" in given or "direction" in given:
                reader.complain(place, f"{side} says direction and threshold: leave those out")
            given |= {"direction": direction, "threshold": given.pop(side)}
    given = {"severity": Severity.WARNING, **_IMPLIED.get(given.get("statistic"), {}), **given}
    missing = [name for name in _NEEDED if name not in given]
    if missing and len(reader.problems) == before:
        hint = ": `above: 50` gives direction and threshold" if "threshold" in missing else ""
        reader.complain(place, f"{', '.join(missing)} missing{hint}")
    if len(reader.problems) > before:
        return None
    return _checked(reader, place, ThresholdRule(**given))


def _checked(reader: Reader, place: Place, rule: ThresholdRule) -> ThresholdRule | None:
    problem = problem_of(rule)
    if problem:
        reader.complain(place, f"{rule.name}: {problem}" if rule.name else problem)
    return None if problem else rule


def _policy(reader: Reader, place: Place, model_id: ModelId) -> DriftPolicySet:
    given = _values(reader, place, _POLICY_FIELDS, _POLICY_READERS)
    return replace(DEFAULT_POLICY, model_id=model_id, **given)


def _values(
    reader: Reader,
    place: Place,
    known: tuple[str, ...],
    readers: Mapping[str, Callable[[Reader, Place], Any]],
) -> dict[str, Any]:
    read = {name: readers[name](reader, value) for name, value in reader.items(place, known)}
    return {name: value for name, value in read.items() if value is not None}


_RULE_READERS: Mapping[str, Callable[[Reader, Place], Any]] = MappingProxyType(
    {
        "name": text,
        "metric": text,
        "statistic": one_of(Statistic),
        "window": text,
        "direction": one_of(Direction),
        "threshold": number,
        "above": number,
        "below": number,
        "severity": one_of(Severity),
        "resolve_threshold": number,
        "for_s": number,
        "minimum_samples": whole,
        "environment": text,
        "share_of": text,
    }
)
_POLICY_READERS: Mapping[str, Callable[[Reader, Place], Any]] = MappingProxyType(
    {
        "severity": one_of(Severity),
        "enabled": switch,
        "window": text,
        "psi_threshold": number,
        "false_discovery_rate": number,
        "minimum_effective_samples": whole,
        "persistence": whole,
        "features": names,
        "change_point_metrics": names,
    }
)
