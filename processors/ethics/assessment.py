"""Answers what an assessment is, and within which bounds it is made; the worker itself needs it."""

import json
from dataclasses import dataclass, field
from typing import Any

from modeltrail.processors.ethics.figures import plain
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.events import AssessmentRefusal, Recommendation

_MIB = 1024 * 1024
#: A Kafka message takes a megabyte.
_LARGEST_REPORT = 900_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read."""

    most_bytes: int = 2048 * _MIB
    most_rows: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an assessment came to; `report_json` is canonical, `maps` are PNGs by name."""

    rows: int
    bias_risk: str
    privacy_risk: str
    transparency_score: float
    report_json: str
    recommendations: tuple[Recommendation, ...]
    not_judged: tuple[str, ...]
    maps: dict[str, bytes] = field(default_factory=dict)


def canonical(report: dict[str, Any]) -> str:
    """The report as JSON: keys sorted, no spaces, every number finite.

    Raises:
        Refused: larger than a fact may be.
    """
    text = json.dumps(
        plain(report), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    if (size := len(text.encode())) > _LARGEST_REPORT:
        raise Refused(
            AssessmentRefusal.TOO_LARGE,
            f"the report has {size:,} bytes, {_LARGEST_REPORT:,} are allowed: name fewer "
            "sensitive attributes, or cut numbers into fewer ranges",
        )
    return text
