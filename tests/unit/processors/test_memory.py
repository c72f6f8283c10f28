"""Free memory goes back to the system when the process has grown, and only then."""

import os
import subprocess
import sys

import numpy as np
import pytest

from modeltrail.processors.memory import FreeMemory

_SETTLED = """
import os
import sys
from modeltrail.processors.memory import settle_allocators
settle_allocators()
assert "polars" not in sys.modules
print(os.environ["_RJEM_MALLOC_CONF"])
"""

_WORTH = 32 * 2**20
_GROWTH = 2 * _WORTH


def test_it_is_given_back_once_for_each_growth() -> None:
    trims: list[int] = []

    def trim(kept: int) -> int:
        trims.append(kept)
        return 1

    # Given memory that was looked at
    memory = FreeMemory(trim, _WORTH)
    assert memory.give_back()
    # When nothing grows, then nothing is done
    assert not memory.give_back()
    # When it grows, then it is done again
    held = np.ones(_GROWTH // 8)
    assert memory.give_back()
    assert trims == [0, 0]
    assert held.nbytes == _GROWTH


@pytest.mark.parametrize("given", [None, "narenas:3"])
def test_what_the_user_has_set_for_an_allocator_stays(given: str | None) -> None:
    env = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    env |= {"_RJEM_MALLOC_CONF": given} if given else {}
    settled = subprocess.run(
        [sys.executable, "-c", _SETTLED], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()
    if given:
        assert settled == given
    else:
        assert "narenas:1" in settled


def test_threads_share_two_arenas() -> None:
    # Each thread takes memory while all others hold theirs, and says where: an arena is 64 MiB.
    script = """
import ctypes, sys, threading
from modeltrail.processors.memory import settle_allocators
if "settled" in sys.argv:
    settle_allocators()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
found, all_there = set(), threading.Barrier(8)
def take():
    found.add(libc.malloc(10_000) >> 26)
    all_there.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(found))
"""
    plain, settled = (
        int(subprocess.check_output([sys.executable, "-c", script, how], text=True))
        for how in ("plain", "settled")
    )
    assert settled <= 2
    assert settled < plain
