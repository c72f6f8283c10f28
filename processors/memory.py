"""Gives memory that is free back to the system: of what a cut frees, the allocator keeps most.

Facts of a cut are short-lived and lie between what stays, spread over the arenas of many threads.
Half of a busy worker's memory was found to be free.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

#: Looking for free pages takes tens of milliseconds: so much growth is worth it.
_WORTH_BYTES = 32 * 1024 * 1024
_STATM = Path("/proc/self/statm")


class FreeMemory:
    """Trims the heap whenever the process has grown enough since; only where glibc is the libc."""

    def __init__(self, trim: Callable[[int], int] | None = None) -> None:
        self._trim = trim or getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._least = 0

    def give_back(self) -> bool:
        """Give back what is free, if there may be much of it; whether this was tried."""
        if self._trim is None or not _STATM.exists():
            return False
        resident = _resident_bytes()
        self._least = min(self._least, resident)
        if resident < self._least + _WORTH_BYTES:
            return False
        self._trim(0)
        self._least = _resident_bytes()
        return True


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
