"""Starts programs as children that die with us, and finds them again without trusting pids."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from functools import partial

import psutil

from modeltrail.infra.orphans import end_with_parent
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import Part

# In the environment of everything that one supervisor starts, itself included. A pid may be given
# again and a clock may jump; nobody else's process carries this.
TOKEN_VARIABLE = "_MODELTRAIL_STACK"  # noqa: S105 (a name, not a secret)
_KILL_PATIENCE_S = 5.0
_POLL_S = 0.02


def spawn(part: Part, layout: Layout, token: str) -> subprocess.Popen[bytes]:
    """Start a part, its output in a fresh log file; the log of the run before is kept as `.1`.

    Must be called from the main thread of a process without others: the child is ended when the
    thread that made it ends.
    """
    log = layout.log(part.name)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
        return subprocess.Popen(
            part.argv,
            env={**part.env, TOKEN_VARIABLE: token},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A Ctrl-C in the terminal reaches the supervisor alone, which stops parts in order.
            process_group=0,
            preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGTERM),
        )


def find(pid: int, token: str) -> psutil.Process | None:
    """The live process with this pid if it is one of ours."""
    try:
        process = psutil.Process(pid)
        return process if _is_ours(process, token) else None
    except psutil.NoSuchProcess:
        return None


def survivors(token: str) -> list[psutil.Process]:
    """Every live process that was started under this token, children of children included."""
    return [process for process in psutil.process_iter() if _is_ours(process, token)]


def end_survivors(token: str, patience_s: float) -> None:
    """End whatever is left of a stack: ask, wait, then kill."""
    _signal_until_gone(token, signal.SIGTERM, patience_s)
    _signal_until_gone(token, signal.SIGKILL, _KILL_PATIENCE_S)


def _signal_until_gone(token: str, number: signal.Signals, patience_s: float) -> None:
    asked: set[int] = set()
    deadline = time.monotonic() + patience_s
    while (left := survivors(token)) and time.monotonic() < deadline:
        for process in left:
            if process.pid not in asked:
                asked.add(process.pid)
                _signal(process, number)
        time.sleep(_POLL_S)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def family_rss(process: psutil.Process) -> int:
    """Resident memory of a process and its children, bytes."""
    return sum(_rss(member) for member in _family(process))


def _family(process: psutil.Process) -> Iterator[psutil.Process]:
    yield process
    try:
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _is_ours(process: psutil.Process, token: str) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return _token_of(process.environ()) == token
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def _token_of(environ: Mapping[str, str]) -> str | None:
    return environ.get(TOKEN_VARIABLE)
