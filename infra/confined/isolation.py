"""Takes from this process what no model needs: the network, other programs, others' files.

Each measure is taken where the kernel lets anybody take it, and left out elsewhere: limits hold
anyway. What is read is not restricted, since libraries are loaded late and from many places; what
was read cannot leave by the network. Sources: prctl(2), user_namespaces(7), landlock(7).
"""

import ctypes
import os
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

#: Under this name a confined process first tells which measures are in force.
ISOLATION = "isolation"
NO_NEW_PRIVILEGES, NO_NETWORK, OWN_FILES_ONLY = "no_new_privileges", "no_network", "own_files_only"

_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000

# Landlock has the same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE = 1 << 0, 1 << 1
_REMOVE_AND_MAKE = 0b1_1111_1111 << 4
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_TCP = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11


def isolate(folder: Path, *, gpu: bool) -> tuple[str, ...]:
    """Isolate this process, which has one thread yet, and all that it will start.

    It can then run no other program, signal nobody but its own, reach no network, and change files
    only below `folder`, in what /proc has of itself, and in the devices of GPUs.

    Args:
        folder: what it may change.
        gpu: whether it may use the devices of the machine's GPUs.

    Returns:
        The names of the measures that are in force.
    """
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    measures = {
        NO_NEW_PRIVILEGES: libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
        NO_NETWORK: _leave_network(libc),
        OWN_FILES_ONLY: _restrict_files(libc, _changeable(folder, gpu=gpu)),
    }
    return tuple(name for name, in_force in measures.items() if in_force)


def _leave_network(libc: ctypes.CDLL) -> bool:
    # A user namespace of its own also takes the capabilities of root away.
    wanted = (_CLONE_NEWUSER | _CLONE_NEWNET, _CLONE_NEWNET)
    return any(libc.unshare(namespaces) == 0 for namespaces in wanted)


def _changeable(folder: Path, *, gpu: bool) -> Mapping[Path, int]:
    everything = _WRITE_FILE | _REMOVE_AND_MAKE | _TRUNCATE
    devices = {Path("/dev"): everything} if gpu else {Path("/dev/null"): _WRITE_FILE | _TRUNCATE}
    return {folder: everything, Path("/proc/self"): _WRITE_FILE, **devices}


def _restrict_files(libc: ctypes.CDLL, changeable: Mapping[Path, int]) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    handled = _EXECUTE | _WRITE_FILE | _REMOVE_AND_MAKE
    handled |= (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    ruleset = [handled]
    ruleset += [_TCP] if version >= 4 else []
    ruleset += [_SIGNALS_AND_ABSTRACT_SOCKETS] if version >= 6 else []
    attributes = struct.pack(f"={len(ruleset)}Q", *ruleset)
    rules = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    try:
        for path, rights in changeable.items():
            _allow(libc, rules, path, rights & handled)
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        finally:
            os.close(place)
