"""Starts a confined process, hears what it tells, and ends it, whatever it does.

It has a session, a folder and an environment of its own, no input, no core dump, and dies with the
thread that started it. Where the kernel allows it, it has no network, starts no program and changes
no file of others, see `isolation`. What it tells is JSON, bounded in size; nothing of it is ever
executed.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from modeltrail.infra.confined.isolation import ISOLATION
from modeltrail.infra.confined.limits import Limits, Struck
from modeltrail.infra.confined.usage import memory_of
from modeltrail.schemas.errors import ModeltrailError

_CHILD = "modeltrail.infra.confined.child"
_LOOK_EVERY_S = 0.05
_CHUNK = 65_536
_MOST_SAID = 4_000
# What the interpreter and the libraries may have resident beside the limited memory.
_LIBRARIES_MB = 1024
# Where libraries and cards are: without them CUDA is not found.
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")


class Interrupted(ModeltrailError):
    """The confined process was ended because whoever started it is to stop: do it again later."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a confined process ended.

    Attributes:
        told: the objects that it told, in order.
        struck: the limit that ended it.
        failure: what else went wrong: an error that nobody caught, a signal; empty: nothing.
        said: the end of what it wrote to stdout and stderr.
        cpu_s: CPU time that it used, s.
        wall_s: time from start to end, s.
        peak_memory_mb: largest resident memory seen, libraries included, MiB; little of it where
            the process ended at once.
        isolation: what it was kept from, by the names in `isolation`.
    """

    told: tuple[Mapping[str, Any], ...]
    struck: Struck
    failure: str
    said: str
    cpu_s: float
    wall_s: float
    peak_memory_mb: float
    isolation: tuple[str, ...] = ()


def run_confined(
    entry: str,
    request: Mapping[str, Any],
    limits: Limits,
    stop: threading.Event | None = None,
) -> Ending:
    """Run `entry` in a process of its own and wait for its end.

    Args:
        entry: `module:function` of ours, see `child.Entry`.
        request: what it is given; JSON.
        limits: what it may use.
        stop: ends it early.

    Raises:
        Interrupted: `stop` was set.
    """
    asked = {
        "entry": entry,
        "request": request,
        "limits": asdict(limits),
        "parent": os.getpid(),
    }
    with (
        tempfile.TemporaryDirectory(prefix="modeltrail-confined-") as folder,
        tempfile.TemporaryFile("w+") as request_file,
    ):
        json.dump(asked, request_file)
        request_file.flush()
        request_file.seek(0)
        return _Watch(folder, request_file.fileno(), limits, stop).run()


class _Watch:
    """One confined process, watched by the thread that started it."""

    def __init__(
        self, folder: str, request_file: int, limits: Limits, stop: threading.Event | None
    ) -> None:
        self._limits = limits
        self._stop = stop
        self._struck = Struck.NONE
        self._peak_mb = 0.0
        self._answer = bytearray()
        self._said = bytearray()
        self._started = time.monotonic()
        answer, told = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", _CHILD, str(request_file), str(told)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(folder),
                pass_fds=(request_file, told),
                start_new_session=True,
            )
        except BaseException:
            os.close(answer)
            raise
        finally:
            os.close(told)
        self._answer_pipe = answer

    def run(self) -> Ending:
        try:
            self._listen()
            self._wait()
        finally:
            # Not reaped yet, so the number still means this group.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            _, status, used = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            os.close(self._answer_pipe)
            assert self._process.stdout is not None
            self._process.stdout.close()
        if self._stop is not None and self._stop.is_set() and self._process.returncode != 0:
            raise Interrupted("the confined process was ended early: ask again")
        return self._ending(used.ru_utime + used.ru_stime)

    def _listen(self) -> None:
        """Take what it tells and says until it ends, or something is enough."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._answer_pipe, selectors.EVENT_READ, self._answer)
            pipes.register(self._process.stdout, selectors.EVENT_READ, self._said)
            while pipes.get_map() and not self._is_enough():
                for key, _ in pipes.select(_LOOK_EVERY_S):
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        pipes.unregister(key.fileobj)
                    key.data.extend(chunk)
                del self._said[:-_MOST_SAID]

    def _wait(self) -> None:
        while not self._has_ended() and not self._is_enough():
            time.sleep(_LOOK_EVERY_S)

    def _has_ended(self) -> bool:
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, look) is not None

    def _is_enough(self) -> bool:
        memory = memory_of(self._process.pid)
        self._peak_mb = max(self._peak_mb, memory.peak_mb)
        if self._struck is Struck.NONE:
            if len(self._answer) > self._limits.answer_bytes:
                self._struck = Struck.ANSWER
            elif memory.resident_mb > self._limits.memory_mb + _LIBRARIES_MB:
                self._struck = Struck.MEMORY
            elif time.monotonic() - self._started > self._limits.wall_s:
                self._struck = Struck.WALL
        return self._struck is not Struck.NONE or (self._stop is not None and self._stop.is_set())

    def _ending(self, cpu_s: float) -> Ending:
        told, failure, struck = _read(bytes(self._answer[: self._limits.answer_bytes]))
        isolation: tuple[str, ...] = ()
        if told and ISOLATION in told[0]:
            isolation, told = tuple(map(str, told[0][ISOLATION])), told[1:]
        code = self._process.returncode
        struck = self._struck or struck or _struck_of(code)
        if not struck and not failure and code != 0:
            failure = _exit_of(code)
        return Ending(
            told,
            struck,
            failure,
            self._said.decode(errors="replace"),
            round(cpu_s, 3),
            round(time.monotonic() - self._started, 3),
            round(self._peak_mb, 1),
            isolation,
        )


def _read(answer: bytes) -> tuple[tuple[Mapping[str, Any], ...], str, Struck]:
    """What was told, the error that ended it, and the limit that this error is about."""
    told: list[Mapping[str, Any]] = []
    for line in answer.split(b"\n"):
        # The last line of a process that was killed may be cut.
        with suppress(ValueError, RecursionError):
            found = json.loads(line, parse_constant=_refuse)
            # It goes on as JSON in UTF-8: 1e999 is read as infinite, and half a character is none.
            json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
            if isinstance(found, dict):
                told.append(found)
    if not told or "error" not in told[-1]:
        return tuple(told), "", Struck.NONE
    last = told.pop()
    named = last.get("struck")
    struck = Struck(named) if named in list(Struck) else Struck.NONE
    return tuple(told), str(last["error"]), struck


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _struck_of(code: int) -> Struck:
    if code == -signal.SIGXCPU:
        return Struck.CPU
    if code == -signal.SIGXFSZ:
        return Struck.FILES
    return Struck.NONE


def _exit_of(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed by SIGKILL: by the kernel, which was out of memory, or by somebody"
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    return f"exit code {code}"


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        # One thread: numbers that do not depend on the machine, and CPU time that means time.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
