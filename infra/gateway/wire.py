"""A client's socket as packets: buffered reading, sending, and the limits on waiting."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol.client_packets import ClientPacket
from modeltrail.infra.gateway.protocol.source import ByteSource

_RECEIVE: Final = 1 << 20
_PARTING_S: Final = 0.5


@dataclass(frozen=True)
class Timeouts:
    """How long a client may be silent, in seconds: before hello, between packets, inside one."""

    hello: float = 10
    idle: float = 3600
    packet: float = 300


class Wire:
    """One client's socket."""

    def __init__(self, client: socket.socket, timeouts: Timeouts) -> None:
        self.socket = client
        self.source = ByteSource(self._receive)
        self.revision = 0
        self._timeouts = timeouts
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.settimeout(timeouts.hello)

    def next_packet(self) -> int:
        """Wait for a client's next packet and return its number.

        Raises:
            EOFError: the client has left.
            ProtocolError: it stayed silent for too long.
        """
        if self.source.at_end:
            self.socket.settimeout(self._timeouts.idle)
        first = self.source.varint()
        self.socket.settimeout(self._timeouts.packet)
        return first

    def cancels(self) -> bool:
        """Whether the next packet of those that have arrived is a Cancel; takes it if so."""
        if self.source.at_end:
            self.socket.settimeout(0)
            try:
                first = self.socket.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return False
            finally:
                self.socket.settimeout(self._timeouts.packet)
            if not first:
                raise EOFError
            if first[0] != ClientPacket.CANCEL:
                return False
        elif self.source.buffered[0] != ClientPacket.CANCEL:
            return False
        self.source.byte()
        return True

    def send(self, packet: bytes) -> None:
        """Send bytes, waiting as long as a client may take."""
        self.socket.sendall(packet)

    def finish(self) -> None:
        """Say that nothing more comes, and let the client read it before the socket goes.

        Closing a socket with unread bytes resets it, and the client would lose the last packet.
        """
        self.socket.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _PARTING_S
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            if not self.socket.recv(_RECEIVE):
                return

    def close(self) -> None:
        """Close the socket."""
        with suppress(OSError):
            self.socket.close()

    def _receive(self) -> bytes:
        try:
            piece = self.socket.recv(_RECEIVE)
        except TimeoutError:
            raise ProtocolError(Code.SOCKET_TIMEOUT, "Timeout exceeded: no bytes.") from None
        if not piece:
            raise EOFError
        return piece
