"""What a check found: how bad it is, and the next step when it is not well."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `modeltrail doctor`."""

    name: str
    level: Level
    detail: str
    next_step: str = ""


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", detail)


def warn(name: str, detail: str, next_step: str) -> Finding:
    """It works, or will once something is done that is no fault."""
    return Finding(name, "warn", detail, next_step)


def fail(name: str, detail: str, next_step: str) -> Finding:
    """It does not work until the next step is taken."""
    return Finding(name, "fail", detail, next_step)
