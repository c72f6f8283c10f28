"""Reads the report of an ethics assessment: every number that it holds, by the path to it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from modeltrail.processors.documents.citing import Cited
from modeltrail.schemas.events import EthicsAssessed

#: What reports are made with unless their settings say otherwise.
_USUAL_PERCENT = 95.0


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


def confidence_of(report: Mapping[str, Any]) -> float:
    """The confidence of its intervals, in percent."""
    settings = report.get("settings")
    intervals = settings.get("intervals") if isinstance(settings, dict) else None
    found = intervals.get("confidence") if isinstance(intervals, dict) else None
    return 100 * float(found) if _is_number(found) else _USUAL_PERCENT


def occlusion_maps(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The occlusion maps that it refers to: name and address of each picture."""
    transparency = report.get("transparency")
    maps = transparency.get("occlusion") if isinstance(transparency, dict) else None
    for name, each in sorted(maps.items()) if isinstance(maps, dict) else ():
        if isinstance(each, dict) and each.get("png_uri"):
            yield name, str(each["png_uri"])


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


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
