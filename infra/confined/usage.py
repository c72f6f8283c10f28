"""Answers what memory a process has, as Linux counts it; elsewhere nothing is known.

Source: proc_pid_status(5). The peak of wait4(2) will not do: a child inherits that of the process
that started it.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_KIB_IN_MIB = 1024
_UNKNOWN_MB = 65_536.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process, MiB: resident now and at its peak, address space, private writable."""

    resident_mb: float = 0.0
    peak_mb: float = 0.0
    address_space_mb: float = 0.0
    data_mb: float = 0.0


def memory_of(pid: int | str = "self") -> Memory:
    """The memory of a process; all zeros when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return Memory()
    sizes = {
        name: int(rest.split()[0]) / _KIB_IN_MIB
        for name, _, rest in (line.partition(":") for line in lines)
        if name.startswith("Vm")
    }
    return Memory(
        sizes.get("VmRSS", 0.0),
        sizes.get("VmHWM", 0.0),
        sizes.get("VmSize", 0.0),
        sizes.get("VmData", 0.0),
    )


def restart_peak() -> None:
    """Let the peak of this process begin again at what is resident now, where that is allowed."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def available_mb() -> float:
    """Memory that new processes can have without swapping, MiB; a large number where unknown.

    Source: proc_meminfo(5), MemAvailable.
    """
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return _UNKNOWN_MB
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) / _KIB_IN_MIB
    return _UNKNOWN_MB
