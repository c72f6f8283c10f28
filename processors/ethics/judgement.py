"""Answers what follows from a report: levels of risk and recommendations, by rules kept as data."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modeltrail.processors.ethics.figures import Figure, rounded
from modeltrail.schemas.events import Recommendation

LEVELS = ("LOW", "MEDIUM", "HIGH")
NOT_JUDGED = "NOT_JUDGED"
#: Several groups may fire the same rule; the worst of them are named.
_MOST_OF_A_RULE = 5
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of an end of a figure with a threshold."""

    bound: str
    above: bool
    threshold: float

    def value_of(self, figure: Figure) -> float | None:
        """What is compared; without an interval an end is the value."""
        if self.bound == "low" and figure.low is not None:
            return figure.low
        if self.bound == "high" and figure.high is not None:
            return figure.high
        return figure.value

    def fires(self, figure: Figure) -> bool:
        """Whether the figure is beyond the threshold."""
        value = self.value_of(figure)
        beyond = operator.gt if self.above else operator.lt
        return value is not None and bool(beyond(value, self.threshold))


@dataclass(frozen=True, slots=True)
class Rule:
    """A recommendation, and when it is made."""

    name: str
    path: str
    test: Comparison
    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """From when on a figure makes a risk MEDIUM or HIGH."""

    path: str
    tests: Mapping[str, Comparison]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of an assessment."""

    levels: Mapping[str, tuple[Level, ...]]
    recommendations: tuple[Rule, ...]


def load_rules(policy: Mapping[str, float], path: Path | None = None) -> Rules:
    """The rules of the package, or of a file, with the thresholds that a policy sets.

    Raises:
        KeyError: the policy names no rule.
    """
    read = yaml.safe_load((path or Path(__file__).with_name("rules.yaml")).read_text())
    rules = tuple(
        Rule(each["rule"], each["figure"], _test(each, policy.get(each["rule"])), each["text"])
        for each in read["recommendations"]
    )
    if unknown := sorted(set(policy) - {rule.name for rule in rules}):
        known = ", ".join(rule.name for rule in rules)
        raise KeyError(f"policy names no rule {', '.join(unknown)}: the rules are {known}")
    levels = {
        area: tuple(
            Level(
                each["figure"],
                {name.upper(): _test(each[name]) for name in ("medium", "high") if name in each},
            )
            for each in entries
        )
        for area, entries in read["levels"].items()
    }
    return Rules(levels, rules)


def risk_of(report: Mapping[str, Any], levels: Sequence[Level]) -> tuple[str, list[str]]:
    """The worst level of the figures that are there, and what said so."""
    worst, reasons = -1, []
    for level in levels:
        for path, figure in found(report, level.path):
            if figure.value is None:
                continue
            reached = [name for name, test in level.tests.items() if test.fires(figure)]
            place = max([LEVELS.index(name) for name in reached], default=0)
            worst = max(worst, place)
            reasons += [f"{name}: {path} {_said(level.tests[name], figure)}" for name in reached]
    return (LEVELS[worst] if worst >= 0 else NOT_JUDGED), reasons


def recommendations_of(
    report: Mapping[str, Any], rules: Sequence[Rule]
) -> tuple[Recommendation, ...]:
    """What the rules advise, each with the number that fired it; in the order of the rules."""
    advice = []
    for rule in rules:
        test = rule.test
        fired = [
            (value, _cited(path, test.bound, figure))
            for path, figure in found(report, rule.path)
            if test.fires(figure) and (value := rounded(test.value_of(figure))) is not None
        ]
        fired.sort(reverse=test.above)
        advice += [
            Recommendation(rule.name, rule.text, path, value, test.threshold)
            for value, path in fired[:_MOST_OF_A_RULE]
        ]
    return tuple(advice)


def found(report: Mapping[str, Any], path: str) -> Iterator[tuple[str, Figure]]:
    """The figures at a path, each with its own path; `*` is any name."""
    yield from _found(report, path.split("."), "")


def escaped(name: str) -> str:
    """A name as part of a path: dots and tildes as in JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace(".", "~1")


def _found(part: Any, names: Sequence[str], walked: str) -> Iterator[tuple[str, Figure]]:
    if not names:
        if isinstance(part, Figure):
            yield walked, part
        return
    if not isinstance(part, Mapping):
        return
    for name, value in part.items():
        if names[0] in (_ANY, escaped(name)):
            here = f"{walked}.{escaped(name)}" if walked else escaped(name)
            yield from _found(value, names[1:], here)


def _cited(path: str, bound: str, figure: Figure) -> str:
    if bound == "value" or getattr(figure, bound) is None:
        return path
    return f"{path}.interval.{('low', 'high').index(bound)}"


def _test(entry: Mapping[str, Any], threshold: float | None = None) -> Comparison:
    above = "above" in entry
    stated = float(entry["above" if above else "below"])
    return Comparison(entry["bound"], above, stated if threshold is None else threshold)


def _said(test: Comparison, figure: Figure) -> str:
    value = test.value_of(figure)
    return f"{test.bound} {value:.4g} is {'above' if test.above else 'below'} {test.threshold:g}"
