"""Keeps on disk which processes a stack has, so that any later command can find and end them."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from modeltrail.infra.stack.layout import write_private

Phase = Literal["waiting", "starting", "ready", "done", "failed", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class PartState:
    """What is known of one part.

    `since` is when it was started, seconds since the epoch; `took_s` how long until it was ready.
    """

    name: str
    phase: Phase = "waiting"
    pid: int = 0
    since: float = 0.0
    took_s: float = 0.0
    exit_code: int | None = None
    ports: dict[str, int] = field(default_factory=dict)
    tells_progress: bool = False


@dataclass(frozen=True, slots=True)
class StackState:
    """The supervisor and its parts in start order."""

    token: str
    supervisor_pid: int
    since: float
    phase: Literal["starting", "ready", "stopping", "failed"] = "starting"
    parts: tuple[PartState, ...] = ()

    def part(self, name: str) -> PartState:
        """The state of one part."""
        return next(part for part in self.parts if part.name == name)

    def with_part(self, changed: PartState) -> "StackState":
        """The same with one part replaced."""
        parts = tuple(changed if part.name == changed.name else part for part in self.parts)
        return replace(self, parts=parts)


def save_state(state: StackState, file: Path) -> None:
    """Write the state in one step."""
    write_private(file, json.dumps(asdict(state), indent=1))


def load_state(file: Path) -> StackState | None:
    """The state that the last supervisor left, or None."""
    try:
        content: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    parts = tuple(PartState(**part) for part in content.pop("parts"))
    return StackState(**content, parts=parts)
