"""Writes the fairness tables of a card: groups beside each other, and how far they are apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from modeltrail.processors.documents.assessment import (
    Figure,
    assessment_figures,
    confidence_of,
    report_of,
)
from modeltrail.processors.documents.card_evaluation import figure_table
from modeltrail.processors.documents.citing import Citations
from modeltrail.processors.documents.model_dossier import ModelDossier
from modeltrail.processors.documents.tables import NONE, between, number, table, text

#: Areas of a report that compare groups, by attribute.
_COMPARED = ("fairness", "latency", "coverage")
_GROUPS = "groups"


def fairness(dossier: ModelDossier, cite: Citations) -> str:
    """A table of groups for each attribute, with intervals; then what compares the groups."""
    if dossier.assessed is None:
        return ""
    report = report_of(dossier.assessed)
    if not any(report.get(area) for area in ("bias", *_COMPARED)):
        return ""
    mark = cite.of(dossier.assessed)
    parts = list(_group_tables(report, mark))
    figures = [
        figure
        for area in ("bias", *_COMPARED)
        for figure in assessment_figures(report, area)
        if f".{_GROUPS}." not in figure.name
    ]
    if figures:
        parts.append(figure_table(figures, confidence_of(report), mark))
    return "\n\n".join(parts)


def _group_tables(report: Mapping[str, Any], mark: str) -> Iterator[str]:
    level = f"{confidence_of(report):.4g} % intervals"
    for area in _COMPARED:
        for attribute, found in sorted(_objects(report.get(area))):
            groups = dict(_objects(found.get(_GROUPS)))
            if not groups:
                continue
            found_in = (name for each in groups.values() for name in _figures(each))
            names = sorted(dict.fromkeys(found_in), key=lambda name: name != "rows")
            rows = [
                (f"{text(group)} {mark}", *(_cell(_figures(each).get(name)) for name in names))
                for group, each in groups.items()
            ]
            verdict = found.get("four_fifths_rule")
            rule = f"; the four-fifths rule: {text(verdict)} {mark}" if verdict else ""
            small = found.get("small_groups") or ()
            few = f"; too few rows: {text(', '.join(map(str, small)))} {mark}" if small else ""
            yield f"**{text(area)} by {text(attribute)}**, {level} {mark}{rule}{few}"
            yield table(("Group", *map(text, names)), rows)


def _objects(part: Any) -> list[tuple[str, Mapping[str, Any]]]:
    found = part.items() if isinstance(part, Mapping) else ()
    return [(name, each) for name, each in found if isinstance(each, Mapping)]


def _figures(group: Mapping[str, Any]) -> dict[str, Figure]:
    return {each.name.removeprefix("."): each for each in assessment_figures({"": group}, "")}


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return NONE
    interval = between(figure.low, figure.high)
    return number(figure.value) if interval == NONE else f"{number(figure.value)} ({interval})"
