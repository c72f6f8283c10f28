"""Answers which checks a model file goes through, and how one can end."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

#: In the order of the evidence; `limits` is judged last, by whoever watched.
NAMES = (
    "sha256",
    "structure",
    "external_data",
    "operators",
    "loads",
    "signature",
    "golden",
    "finite",
    "limits",
)
LIMITS = "limits"
_LONGEST_DETAIL = 2000


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found; `numbers` are JSON and become part of the evidence."""

    outcome: Outcome
    detail: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def evidence(self, name: str) -> dict[str, Any]:
        """As an entry of `checks`."""
        detail = self.detail[:_LONGEST_DETAIL]
        return {**self.numbers, "name": name, "outcome": str(self.outcome), "detail": detail}


def passed(detail: str, **numbers: Any) -> Found:
    """A check that was passed."""
    return Found(Outcome.PASSED, detail, numbers)


def failed(detail: str, **numbers: Any) -> Found:
    """A check that was not."""
    return Found(Outcome.FAILED, detail, numbers)


def skipped(detail: str) -> Found:
    """A check that was not made, with the reason."""
    return Found(Outcome.SKIPPED, detail)
