"""Reads the report of an ethics assessment: every number that it holds, by the path to it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from modeltrail.processors.documents.citing import Cited
from modeltrail.schemas.events import EthicsAssessed


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report: its path, its interval if it has one, how many values it is of."""

    name: str
    value: float
    low: float | None
    high: float | None
    size: int | None


def report_of(assessed: Cited) -> Mapping[str, Any]:
    """The report that an assessment carries."""
    report = json.loads(cast(EthicsAssessed, assessed.fact).report_json)
    return report if isinstance(report, dict) else {}


def assessment_figures(report: Mapping[str, Any], area: str) -> Iterator[Figure]:
    """The figures of one area, in the order of their paths."""
    found = report.get(area)
    if isinstance(found, dict):
        yield from _figures(found, area)


def _figures(part: Mapping[str, Any], path: str) -> Iterator[Figure]:
    if _is_number(part.get("value")):
        low, high = part.get("interval") or (None, None)
        yield Figure(path, float(part["value"]), low, high, part.get("n"))
        return
    for name in sorted(part):
        if isinstance(part[name], dict):
            yield from _figures(part[name], f"{path}.{name}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
