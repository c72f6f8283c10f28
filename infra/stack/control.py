"""Starts and stops a stack from outside: launches its supervisor, follows it, ends it."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modeltrail.infra.config import stack_runs
from modeltrail.infra.stack.errors import PartFailed, StackError
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import last_lines
from modeltrail.infra.stack.process import TOKEN_VARIABLE, end_survivors, find, survivors
from modeltrail.infra.stack.python import python_command
from modeltrail.infra.stack.state import StackState, load_state

_POLL_S = 0.02
_WATCH_EVERY_S = 0.2
_STOP_PATIENCE_S = 180.0
_ORPHAN_PATIENCE_S = 20.0
_STATE_PATIENCE_S = 60.0
_LOG_LINES = 15

Follow = Callable[[StackState], None]


@dataclass(frozen=True, slots=True)
class Launched:
    """A supervisor that we started."""

    process: subprocess.Popen[bytes]
    layout: Layout

    def abandon(self, follow: Follow) -> None:
        """Stop it at whatever point of its start it is."""
        self.process.terminate()
        stop(self.layout, follow)
        self.reap()

    def reap(self) -> None:
        """Close the lifeline and take the exit code, so that nothing of it is left with us."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


def launch(
    layout: Layout,
    config: Path | None = None,
    *,
    workers: bool = True,
    lifeline: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Launched:
    """Start a supervisor in a session of its own; with a lifeline it ends when we do."""
    layout.create()
    options = ["--data-dir", str(layout.root)]
    options += ["--config", str(config.absolute())] if config else []
    options += [] if workers else ["--no-workers"]
    options += ["--lifeline"] if lifeline else []
    log = os.open(layout.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(
            python_command("modeltrail.infra.stack", *options),
            env={**(os.environ if environ is None else environ), TOKEN_VARIABLE: uuid.uuid4().hex},
            stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    return Launched(process, layout)


def wait_until_ready(launched: Launched, follow: Follow) -> StackState:
    """Follow a start to its end.

    Raises:
        PartFailed: a part did not start; nothing is left running.
        StackError: the supervisor itself ended.
    """
    pid = launched.process.pid
    while True:
        # In this order: what the supervisor wrote last is read after its end is seen.
        ended = launched.process.poll() is not None
        state = load_state(launched.layout.state)
        if state is not None and state.supervisor_pid == pid:
            follow(state)
            if state.phase == "ready":
                return state
            if ended and state.phase == "failed":
                raise PartFailed(_failure(state, launched.layout))
        if ended:
            raise StackError(_supervisor_ended(launched))
        time.sleep(_POLL_S)


def wait_until_ready_elsewhere(layout: Layout, follow: Follow) -> StackState:
    """Follow a start that somebody else began.

    Raises:
        StackError: it did not come to its end.
    """
    while stack_runs(layout.root):
        state = load_state(layout.state)
        if state is not None:
            follow(state)
            if state.phase == "ready":
                return state
        time.sleep(_POLL_S)
    raise StackError(
        "the stack was being started or stopped by another command, and is down now: "
        "run `modeltrail up` again"
    )


def watch(launched: Launched, follow: Follow) -> None:
    """Follow a ready stack until its supervisor has ended."""
    while launched.process.poll() is None:
        state = load_state(launched.layout.state)
        if state is not None:
            follow(state)
        time.sleep(_WATCH_EVERY_S)


def stop(layout: Layout, follow: Follow, *, orphan_patience_s: float = _ORPHAN_PATIENCE_S) -> bool:
    """End a stack and whatever a killed one left; False when there was nothing to end."""
    state = _state_once_written(layout)
    if state is None:
        return False
    supervisor = find(state.supervisor_pid, state.token)
    found = supervisor is not None or bool(survivors(state.token))
    if supervisor is not None:
        supervisor.terminate()
        _follow_stop(layout, follow, state)
    end_survivors(state.token, orphan_patience_s)
    left = load_state(layout.state)
    # Another command may have started the stack again meanwhile.
    if left is not None and left.token == state.token:
        layout.endpoints.unlink(missing_ok=True)
        layout.state.unlink(missing_ok=True)
    return found


def _state_once_written(layout: Layout) -> StackState | None:
    """The state; a supervisor that has only just started is given the time to write one."""
    deadline = time.monotonic() + _STATE_PATIENCE_S
    while (state := load_state(layout.state)) is None and stack_runs(layout.root):
        if time.monotonic() > deadline:
            raise StackError(f"the supervisor of {layout.root} writes no state: run this again")
        time.sleep(_POLL_S)
    return state


def _follow_stop(layout: Layout, follow: Follow, stopped: StackState) -> None:
    deadline = time.monotonic() + _STOP_PATIENCE_S
    while find(stopped.supervisor_pid, stopped.token) and time.monotonic() < deadline:
        state = load_state(layout.state)
        if state is not None and state.token == stopped.token:
            follow(state)
        time.sleep(_POLL_S)


def _failure(state: StackState, layout: Layout) -> str:
    part = next(part for part in state.parts if part.phase == "failed")
    log = layout.log(part.name)
    reason = "was not ready in time" if part.exit_code is None else f"ended with {part.exit_code}"
    lines = "\n".join(f"    {line}" for line in last_lines(log, _LOG_LINES))
    return (
        f"{part.name} did not start: it {reason}. The end of {log}:\n{lines}\n"
        "Everything else was stopped. `modeltrail doctor` checks what a start needs; "
        "then run `modeltrail up` again"
    )


def _supervisor_ended(launched: Launched) -> str:
    log = launched.layout.log("supervisor")
    lines = "\n".join(f"    {line}" for line in last_lines(log, _LOG_LINES))
    return (
        f"the supervisor ended with {launched.process.returncode} before the stack was ready. "
        f"The end of {log}:\n{lines}\n"
        "Run `modeltrail doctor`, then `modeltrail up` again"
    )
