"""Answers what a figure of a report is: a value with its interval, and what it is taken from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modeltrail.processors.ethics.definitions import DEFINITIONS

#: A report is the same on every machine: sums that differ in their last bits are the same number.
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        measure: its name in `DEFINITIONS`.
        value: the number; None: it could not be judged, and `note` says why.
        n: rows, faces or people that it is taken from.
        low: lower end of its interval; None: it has none, and its definition says why.
        high: upper end of its interval.
        note: what to know before it is used.
    """

    measure: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The figure as it stands in a report."""
        definition = DEFINITIONS[self.measure]
        low, high = rounded(self.low), rounded(self.high)
        found = {
            "value": rounded(self.value),
            "interval": None if low is None or high is None else [low, high],
            "n": self.n,
            "definition": definition.text,
            "source": definition.source,
        }
        return {**found, "note": self.note} if self.note else found


def rounded(value: float | None) -> float | None:
    """The value with ten significant digits; None: there is none, or it is not finite."""
    if value is None or isinstance(value, int):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def plain(part: Any) -> Any:
    """A tree of figures, mappings, lists and single values as JSON can hold it."""
    match part:
        case Figure():
            return part.as_json()
        case Mapping():
            return {str(name): plain(value) for name, value in part.items()}
        case list() | tuple():
            return [plain(value) for value in part]
        case float():
            return rounded(part)
        case _:
            return part
