"""Looks at a stack from outside: which parts live, what they take, what to do about the rest."""

import time
from dataclasses import dataclass
from typing import Literal

from modeltrail.infra.config import stack_runs
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.process import family_rss, find, survivors
from modeltrail.infra.stack.state import PartState, StackState, load_state

_START = "start it with `modeltrail up --detach`"
_RESTART = "`modeltrail down`, then `modeltrail up --detach` starts all of it again"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part now; `uptime_s` and `rss_mb` (MiB, children included) only while it lives."""

    name: str
    state: str
    pid: int | None
    ports: dict[str, int]
    uptime_s: float | None
    rss_mb: int | None
    log: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The whole stack now, and in `message` what to do."""

    state: Literal["up", "starting", "broken", "down"]
    message: str
    parts: tuple[PartStatus, ...] = ()


def look(layout: Layout) -> StackStatus:
    """What is running, by the state file and by the processes themselves."""
    state = load_state(layout.state)
    if not stack_runs(layout.root):
        return _without_supervisor(state)
    if state is None:
        return StackStatus("starting", "the supervisor has only just started")
    parts = tuple(_part_status(part, state, layout) for part in state.parts)
    failed = [part for part in parts if part.state == "failed"]
    if failed:
        return StackStatus("broken", "; ".join(_what_to_do(part) for part in failed), parts)
    if state.phase != "ready":
        return StackStatus("starting", f"the stack is {state.phase}: ask again", parts)
    return StackStatus("up", f"all of {len(parts)} parts are well", parts)


def _without_supervisor(state: StackState | None) -> StackStatus:
    if state is None:
        return StackStatus("down", _START)
    if survivors(state.token):
        return StackStatus(
            "broken", f"the supervisor was killed and parts of it are left: {_RESTART}"
        )
    failed = [part.name for part in state.parts if part.phase == "failed"]
    if failed:
        return StackStatus("down", f"{failed[0]} did not start last time: {_START}")
    return StackStatus("down", f"the supervisor was killed: {_START}")


def _part_status(part: PartState, state: StackState, layout: Layout) -> PartStatus:
    log = str(layout.log(part.name))
    process = find(part.pid, state.token) if part.pid else None
    if process is None:
        # The supervisor notes an end a moment after it happened.
        phase = "failed" if part.phase == "ready" else part.phase
        return PartStatus(part.name, phase, None, part.ports, None, None, log, part.exit_code)
    uptime_s = round(max(0.0, time.time() - part.since), 1)
    rss_mb = family_rss(process) >> 20
    return PartStatus(part.name, part.phase, part.pid, part.ports, uptime_s, rss_mb, log)


def _what_to_do(part: PartStatus) -> str:
    ending = "" if part.exit_code is None else f" ({_ending(part.exit_code)})"
    return f"{part.name} ended{ending}: its log is {part.log}; {_RESTART}"


def _ending(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
