"""Starts the parts of a stack in order of need, watches them, and ends them in reverse.

It has one thread only, since a child's life is tied to the thread that made it. What it does is
told through the state file; `modeltrail up`, `down` and `status` read that.
"""

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from modeltrail.infra.stack.layout import Layout, write_private
from modeltrail.infra.stack.part import Finishes, Part, is_ready, needs
from modeltrail.infra.stack.process import end_survivors, spawn
from modeltrail.infra.stack.state import PartState, Phase, StackState, save_state
from modeltrail.infra.stack.wakeup import Wakeup

_POLL_S = 0.02


class Supervisor:
    """The life of one stack; `run` returns when nothing of it is left."""

    def __init__(
        self,
        parts: list[Part],
        layout: Layout,
        token: str,
        pid: int,
        ready_timeout_s: float,
        wakeup: Wakeup,
    ) -> None:
        self._parts = {part.name: part for part in parts}
        self._needs = needs(parts)
        self._layout = layout
        self._ready_timeout_s = ready_timeout_s
        self._wakeup = wakeup
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._launched: dict[str, float] = {}
        self._endpoints: dict[str, dict[str, Any]] = {}
        self._state = StackState(
            token=token,
            supervisor_pid=pid,
            since=time.time(),
            parts=tuple(
                PartState(part.name, ports=dict(part.ports), tells_progress=part.tells_progress)
                for part in parts
            ),
        )

    def run(self) -> int:
        """0 after an ordered stop, 1 when a part did not start."""
        self._save()
        try:
            if self._start():
                self._watch()
        finally:
            self._stop()
        if self._state.phase == "failed":
            return 1
        self._layout.state.unlink(missing_ok=True)
        return 0

    def _start(self) -> bool:
        """Start everything; False when stopped or failed on the way."""
        while not self._wakeup.stopping:
            for part in self._parts.values():
                self._advance(part)
            phases = {part.phase for part in self._state.parts}
            if "failed" in phases:
                self._state = replace(self._state, phase="failed")
                self._save()
                return False
            if phases <= {"ready", "done"}:
                self._state = replace(self._state, phase="ready")
                self._save()
                return True
            self._wakeup.wait(_POLL_S)
        return False

    def _advance(self, part: Part) -> None:
        state = self._state.part(part.name)
        if state.phase == "waiting":
            needed = (self._state.part(name).phase for name in part.depends_on)
            if all(phase in ("ready", "done") for phase in needed):
                self._launch(part)
        elif state.phase == "starting":
            self._check_start(part)
        elif state.phase == "ready":
            self._reap(part.name)

    def _launch(self, part: Part) -> None:
        child = spawn(part, self._layout, self._state.token)
        self._children[part.name] = child
        self._launched[part.name] = time.monotonic()
        self._set(part.name, "starting", pid=child.pid, since=time.time())

    def _check_start(self, part: Part) -> None:
        exit_code = self._children[part.name].poll()
        if exit_code is not None:
            done = part.is_step and exit_code == 0
            phase: Phase = "done" if done else "failed"
            self._set(part.name, phase, exit_code=exit_code, took_s=self._age(part.name))
        elif not isinstance(part.ready, Finishes) and is_ready(
            part.ready, self._layout.log(part.name)
        ):
            self._set(part.name, "ready", took_s=self._age(part.name))
            self._publish(part.provides)
        elif self._age(part.name) > self._time_limit(part):
            self._set(part.name, "failed", took_s=self._age(part.name))

    def _age(self, name: str) -> float:
        return time.monotonic() - self._launched[name]

    def _time_limit(self, part: Part) -> float:
        return self._ready_timeout_s if part.ready_timeout_s is None else part.ready_timeout_s

    def _watch(self) -> None:
        while not self._wakeup.stopping:
            self._wakeup.wait(None)
            for name in self._children:
                self._reap(name)

    def _reap(self, name: str) -> None:
        """Note a part that ended on its own; it is not started again: `status` says what to do."""
        state = self._state.part(name)
        exit_code = self._children[name].poll()
        if state.phase == "ready" and exit_code is not None:
            self._set(name, "failed", exit_code=exit_code)
            self._withdraw(self._parts[name].provides)

    def _stop(self) -> None:
        """End the parts in reverse order of need, those that nothing needs any more at once."""
        if self._state.phase != "failed":
            self._state = replace(self._state, phase="stopping")
        self._layout.endpoints.unlink(missing_ok=True)
        left = {name: child for name, child in self._children.items() if child.poll() is None}
        while left:
            needed = {need for name in left for need in self._needs[name]}
            self._stop_together({name: left.pop(name) for name in set(left) - needed})
        end_survivors(self._state.token, patience_s=1.0)

    def _stop_together(self, children: Mapping[str, subprocess.Popen[bytes]]) -> None:
        for name, child in children.items():
            self._set_unless_failed(name, "stopping")
            child.terminate()
        asked = time.monotonic()
        waiting = dict(children)
        while waiting:
            for name, child in list(waiting.items()):
                if time.monotonic() - asked > self._parts[name].stop_timeout_s:
                    child.kill()
                if child.poll() is not None:
                    del waiting[name]
                    self._set_unless_failed(name, "stopped", exit_code=child.returncode)
            self._wakeup.wait(_POLL_S)

    def _publish(self, provides: Mapping[str, Mapping[str, Any]]) -> None:
        for section, values in provides.items():
            self._endpoints[section] = dict(values)
        write_private(self._layout.endpoints, json.dumps(self._endpoints, indent=1))

    def _withdraw(self, provides: Mapping[str, Mapping[str, Any]]) -> None:
        for section in provides:
            self._endpoints.pop(section, None)
        write_private(self._layout.endpoints, json.dumps(self._endpoints, indent=1))

    def _set(self, name: str, phase: Phase, **changes: Any) -> None:
        changed = replace(self._state.part(name), phase=phase, **changes)
        self._state = self._state.with_part(changed)
        self._save()

    def _set_unless_failed(self, name: str, phase: Phase, **changes: Any) -> None:
        if self._state.part(name).phase != "failed":
            self._set(name, phase, **changes)

    def _save(self) -> None:
        save_state(self._state, self._layout.state)
