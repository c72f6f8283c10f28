"""The confined process itself: limits what it may use and reach, then does what it was asked to.

It is started by `run_confined` with the numbers of two open files: the request, and a pipe for
what it tells, one JSON object a line.
"""

import importlib
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from modeltrail.infra.confined.isolation import ISOLATION, isolate
from modeltrail.infra.confined.limits import Limits, Struck
from modeltrail.infra.confined.usage import memory_of
from modeltrail.infra.orphans import end_with_parent

Tell = Callable[[Mapping[str, Any]], None]
"""Sends one JSON object to whoever asked."""
Entry = Callable[[Mapping[str, Any], Tell], None]
"""What a confined process runs: given the request, and how to tell what it found."""

_MIB = 1024 * 1024
# Threads, and what libraries load late, have addresses of their own.
_ADDRESS_SLACK_MB = 1024
_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "Cannot allocate memory")
_LONGEST_TEXT = 2000


def main(request_file: int, answer_pipe: int) -> int:
    """Run the entry that the request names; 0 when it returned."""
    with os.fdopen(request_file) as file:
        asked = json.load(file)
    limits = Limits(**asked["limits"])
    end_with_parent(asked["parent"], signal.SIGKILL)
    _limit_all_but_memory(limits)
    isolation = isolate(Path.cwd(), gpu=_has_gpu())
    with os.fdopen(answer_pipe, "w") as out:

        def tell(found: Mapping[str, Any]) -> None:
            out.write(json.dumps(found, allow_nan=False) + "\n")
            out.flush()

        tell({ISOLATION: isolation})
        try:
            module, _, name = asked["entry"].partition(":")
            entry: Entry = getattr(importlib.import_module(module), name)
            # After the import: what the libraries take is not the doing of what is looked at.
            _limit_memory(limits)
            entry(asked["request"], tell)
        except Exception as error:
            tell({"struck": struck_by(error), "error": text_of(error)})
            return 1
    return 0


def struck_by(error: BaseException) -> Struck:
    """The limit that an error is about, if it is about one."""
    text = str(error)
    if isinstance(error, MemoryError) or any(each in text for each in _OUT_OF_MEMORY):
        return Struck.MEMORY
    return Struck.NONE


def text_of(error: BaseException) -> str:
    """Kind and message of an error, shortened."""
    return f"{type(error).__name__}: {error}"[:_LONGEST_TEXT]


def _limit_all_but_memory(limits: Limits) -> None:
    cpu_s = math.ceil(limits.cpu_s)
    _lower(resource.RLIMIT_CPU, cpu_s + 1)
    # The soft limit's signal tells which one it was; the hard one cannot be ignored.
    _lower(resource.RLIMIT_CPU, cpu_s, soft_only=True)
    _lower(resource.RLIMIT_FSIZE, limits.file_mb * _MIB)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CORE, 0)
    # Python ignores it: an error in the middle of a write would go unseen.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if limits.niceness:
        os.nice(limits.niceness)
    # When the machine runs out of memory, the kernel shall choose this one.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _limit_memory(limits: Limits) -> None:
    taken = memory_of()
    if not taken.data_mb:
        # Not Linux: whoever watches sees the resident memory no better.
        return
    _lower(resource.RLIMIT_DATA, math.ceil((taken.data_mb + limits.memory_mb) * _MIB))
    # CUDA reserves addresses for all memory of the machine and its cards, and uses few of them.
    if not _has_gpu():
        most_mb = taken.address_space_mb + limits.memory_mb + _ADDRESS_SLACK_MB
        _lower(resource.RLIMIT_AS, math.ceil(most_mb * _MIB))


def _lower(which: int, value: int, *, soft_only: bool = False) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, hard if soft_only else value))


def _has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
