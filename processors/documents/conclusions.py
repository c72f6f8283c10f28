"""Draws conclusions and next steps from findings, by rules that are kept as data."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from modeltrail.processors.documents.findings import Finding
from modeltrail.processors.documents.tables import number, text

RULES_FILE = "conclusions.yaml"
CONCLUSION = "conclusion"
NEXT_STEP = "next step"


@dataclass(frozen=True, slots=True)
class Rule:
    """Says something about a finding whose number is above, or below, a limit."""

    finding: str
    kind: str
    text: str
    above: float | None = None
    below: float | None = None

    def fires(self, finding: Finding) -> bool:
        """Whether it has something to say about that finding."""
        return (
            finding.name == self.finding
            and (self.above is None or finding.value > self.above)
            and (self.below is None or finding.value < self.below)
        )

    def says(self, finding: Finding) -> str:
        """The sentence about that finding."""
        return self.text.format(
            subject=text(finding.subject),
            metric=text(finding.metric),
            value=number(finding.value),
            limit=number(self.above if self.above is not None else self.below),
        )


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of the package."""
    found: list[dict[str, Any]] = yaml.safe_load(
        (files(__package__) / RULES_FILE).read_text(encoding="utf-8")
    )
    return tuple(Rule(**each) for each in found)


def drawn(
    found: Iterable[Finding], kind: str, by: Sequence[Rule] | None = None
) -> Iterator[tuple[str, Finding]]:
    """The sentences of one kind, in the order of the rules, each with what it rests on."""
    findings = list(found)
    for rule in rules() if by is None else by:
        if rule.kind == kind:
            yield from ((rule.says(each), each) for each in findings if rule.fires(each))
