"""The supervisor as a program; `modeltrail up` starts it, in a session of its own."""

import argparse
import fcntl
import os
import sys
import time
from pathlib import Path
from typing import TextIO

from modeltrail.infra.config import load_settings
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.plan import plan
from modeltrail.infra.stack.process import TOKEN_VARIABLE, end_survivors
from modeltrail.infra.stack.state import load_state
from modeltrail.infra.stack.supervisor import Supervisor
from modeltrail.infra.stack.wakeup import Wakeup

_LOCK_PATIENCE_S = 2.0
_LEFTOVER_PATIENCE_S = 20.0


def main() -> int:
    """Run a stack until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m modeltrail.infra.stack")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--no-workers", action="store_true")
    parser.add_argument("--lifeline", action="store_true", help="stop when stdin closes")
    arguments = parser.parse_args()
    layout = Layout.at(arguments.data_dir)
    # What the servers store is as private as what we write ourselves.
    os.umask(0o077)
    with layout.lock.open("w") as lock:
        if not _locked(lock):
            print("another supervisor holds this data folder", file=sys.stderr)
            return 1
        _end_leftovers(layout)
        settings = load_settings(arguments.config, embedded=False)
        token = os.environ[TOKEN_VARIABLE]
        parts = plan(settings, layout, token, arguments.config, not arguments.no_workers)
        wakeup = Wakeup(sys.stdin.fileno() if arguments.lifeline else None)
        supervisor = Supervisor(
            parts, layout, token, os.getpid(), settings.stack.ready_timeout_s, wakeup
        )
        return supervisor.run()


def _locked(lock: TextIO) -> bool:
    """Take the lock for our life; a client that looks at it holds it for a moment only."""
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _end_leftovers(layout: Layout) -> None:
    """End what a killed supervisor left behind: two brokers must not share a folder."""
    left = load_state(layout.state)
    if left is not None:
        end_survivors(left.token, _LEFTOVER_PATIENCE_S)
        layout.state.unlink(missing_ok=True)
    layout.endpoints.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
