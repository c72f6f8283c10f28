"""Keeps memory that is free from piling up: of what a cut frees, the allocator would keep most.

Facts of a cut are short-lived and lie between what stays, spread over the arenas of many threads.
Half of a busy worker's memory was found to be free.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

#: Looking for free pages takes tens of milliseconds, and getting them again as long: for each 32 MB
#: of growth, a worker with a thousand models spent a tenth of its time on it.
_WORTH_BYTES = 48 * 1024 * 1024
_STATM = Path("/proc/self/statm")
#: Of glibc's malloc.h. What one thread frees another can use only where they share an arena.
_M_ARENA_MAX = -8
_ARENAS = 2
#: jemalloc reads this when it is loaded: one arena as well, and free pages given back soon.
_POLARS = ("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:100,muzzy_decay_ms:0")


def settle_allocators() -> None:
    """Let neither allocator of the process keep much that is free; before polars is imported.

    What the user has set for polars' own allocator, jemalloc, stays.
    """
    _share_arenas()
    os.environ.setdefault(*_POLARS)


def _share_arenas() -> None:
    """Let all threads that are yet to come share few arenas, where glibc is the libc."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


class FreeMemory:
    """Trims the heap whenever the process has grown enough since; only where glibc is the libc."""

    def __init__(
        self, trim: Callable[[int], int] | None = None, worth_bytes: int = _WORTH_BYTES
    ) -> None:
        self._worth_bytes = worth_bytes
        self._trim = trim or getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._least = 0

    def give_back(self) -> bool:
        """Give back what is free, if there may be much of it; whether this was tried."""
        if self._trim is None or not _STATM.exists():
            return False
        resident = _resident_bytes()
        self._least = min(self._least, resident)
        if resident < self._least + self._worth_bytes:
            return False
        self._trim(0)
        self._least = _resident_bytes()
        return True


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
