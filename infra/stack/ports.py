"""Chooses a stack's ports once, out of the way of outgoing connections, and remembers them."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from modeltrail.infra.stack.layout import write_private

LOOPBACK = "127.0.0.1"
# Linux lends 32768 and up to outgoing connections, which could take a port while we are down.
_RANGE = range(20_000, 32_000)


def remembered_ports(file: Path, names: tuple[str, ...]) -> Mapping[str, int]:
    """A free port per name: the one used last time unless another program has taken it since."""
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    ports = {name: known[name] for name in names if name in known and is_free(known[name])}
    for name in names:
        if name not in ports:
            ports[name] = _free_port(taken=set(ports.values()))
    if ports != known:
        write_private(file, json.dumps(ports, indent=2))
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # Servers set this too: connections of the last run that linger do not stop them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _free_port(taken: set[int]) -> int:
    for port in random.sample(_RANGE, 1_000):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port on {LOOPBACK} between {_RANGE.start} and {_RANGE.stop}")
