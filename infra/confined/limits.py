"""Answers how much a confined process may use, and which limit ended it."""

from dataclasses import dataclass
from enum import StrEnum


class Struck(StrEnum):
    """The limit that ended a confined process; NONE: it came to its end by itself."""

    NONE = ""
    CPU = "cpu_s"
    WALL = "wall_s"
    MEMORY = "memory_mb"
    FILES = "file_mb"
    ANSWER = "answer_bytes"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a confined process may use at the most.

    Attributes:
        wall_s: time from start to end, s.
        cpu_s: CPU time of all its threads, s.
        memory_mb: memory beyond what the interpreter and its libraries take, MiB.
        file_mb: size of a file that it writes, MiB.
        open_files: how many files it has open at once.
        answer_bytes: size of all that it tells.
        niceness: how far it steps back behind others for the CPU, 0 to 19.
    """

    wall_s: float
    cpu_s: float
    memory_mb: int
    file_mb: int = 16
    open_files: int = 256
    answer_bytes: int = 1024 * 1024
    niceness: int = 0
