"""Says what a part of the stack is: a program, what it needs first, when it is ready."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modeltrail.infra.stack.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class LogLine:
    """Ready once its output holds this text."""

    text: str


@dataclass(frozen=True, slots=True)
class HttpOk:
    """Ready once this path answers 200 on a loopback port."""

    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Finishes:
    """Ready once the program has ended with exit code 0: a step, not a server."""


Ready = LogLine | HttpOk | Finishes


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the stack.

    `provides` is the overlay of settings by which clients reach it; `tells_progress` says that the
    last line of its log is for people; `ready_timeout_s` is None where the setting holds;
    `stop_timeout_s` is how long it may take to end in order before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Ready
    depends_on: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    provides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tells_progress: bool = False
    ready_timeout_s: float | None = None
    stop_timeout_s: float = 20.0

    @property
    def is_step(self) -> bool:
        """Whether it ends by itself."""
        return isinstance(self.ready, Finishes)


def needs(parts: list[Part]) -> dict[str, set[str]]:
    """Everything that each part needs, directly or through others; parts come after their needs."""
    all_needs: dict[str, set[str]] = {}
    for part in parts:
        direct = set(part.depends_on)
        all_needs[part.name] = direct.union(*(all_needs[name] for name in direct))
    return all_needs


def is_ready(ready: LogLine | HttpOk, log: Path) -> bool:
    """Ask a running server whether it serves; never waits longer than a second."""
    match ready:
        case LogLine(text):
            return text in log.read_text(errors="replace")
        case HttpOk(port, path):
            return _answers(port, path)


def _answers(port: int, path: str) -> bool:
    # Not urllib: it would send a loopback request through the user's HTTP proxy.
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log, without blank lines; empty when there is no log."""
    if not log.exists():
        return []
    lines = [line.rstrip() for line in log.read_text(errors="replace").splitlines()]
    return [line for line in lines if line][-count:]
