"""Has the kernel end a child when its parent dies, even by kill -9. Source: prctl(2)."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Ask for a signal at the parent's end; to be called in the child. Linux only.

    Args:
        parent: the process that started this one.
        number: the signal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    # It may have ended before it was asked for.
    if os.getppid() != parent:
        os._exit(1)
