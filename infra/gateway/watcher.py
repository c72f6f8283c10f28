"""Notices that a client cancels or leaves while its session's thread is inside the engine."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from modeltrail.infra.gateway.errors import GatewayError
from modeltrail.infra.gateway.protocol.client_packets import ClientPacket

_RETRY_S: Final = 0.05


@dataclass(eq=False)
class Watch:
    """One running query; `stop` calls are repeated until it has ended.

    Attributes:
        socket: a non-blocking duplicate of the client's socket. The session's own has a timeout,
            with which Python waits even where it is asked not to, if the session was faster.
    """

    socket: socket.socket
    stop: Callable[[], None]
    cancelled: bool = False
    #: Whether the client itself cancelled or left, rather than another one's KILL QUERY.
    cancelled_by_client: bool = False
    _ignores_client: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopper: threading.Thread | None = None

    def ignore_client(self) -> None:
        """From now on the client's bytes belong to the query."""
        self._ignores_client = True

    def client_cancels(self) -> None:
        """The client wants no more of this query, or has left."""
        if not self._ignores_client:
            self.cancelled_by_client = True
            self.cancel()

    def cancel(self) -> None:
        """Stop the query, from whichever thread."""
        with self._lock:
            if self.cancelled or self._ended.is_set():
                return
            self.cancelled = True
            self._stopper = threading.Thread(target=self._stop_until_ended, daemon=True)
            self._stopper.start()

    def end(self) -> None:
        """The query has ended; after this returns, nothing tries to stop it any more."""
        with self._lock:
            self._ended.set()
        if self._stopper is not None:
            self._stopper.join()

    def _stop_until_ended(self) -> None:
        # The engine lists a query only a moment after it was handed over: one try could miss it.
        while not self._ended.is_set():
            with suppress(GatewayError):
                self.stop()
            self._ended.wait(_RETRY_S)


class Watcher:
    """One thread that waits on the sockets of all running queries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._changed: set[Watch] = set()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def watch(self, client: socket.socket, stop: Callable[[], None]) -> Watch:
        """Begin to watch a client whose query starts now."""
        own = client.dup()
        own.setblocking(False)
        watch = Watch(own, stop)
        with self._lock:
            self._watches.add(watch)
            self._changed.add(watch)
        self._wake()
        return watch

    def end(self, watch: Watch) -> None:
        """Stop watching; the client's next bytes are its session's again."""
        with self._lock:
            self._watches.discard(watch)
            self._changed.add(watch)
        self._wake()
        watch.end()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._wake()
        self._thread.join()
        self._wake_in.close()
        self._wake_out.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_out, selectors.EVENT_READ)
            registered: set[Watch] = set()
            while not self._closing:
                self._apply_changes(selector, registered)
                for key, _ in selector.select():
                    if key.fileobj is self._wake_out:
                        self._wake_out.recv(4096)
                    else:
                        self._look(selector, registered, key.data)
            with self._lock:
                left = registered | self._changed
            for watch in left:
                _forget(selector, registered, watch)

    def _apply_changes(self, selector: selectors.BaseSelector, registered: set[Watch]) -> None:
        with self._lock:
            changed, self._changed = self._changed, set()
            begun = changed & self._watches
        for watch in changed - begun:
            _forget(selector, registered, watch)
        for watch in begun:
            selector.register(watch.socket, selectors.EVENT_READ, watch)
            registered.add(watch)

    def _look(
        self,
        selector: selectors.BaseSelector,
        registered: set[Watch],
        watch: Watch,
    ) -> None:
        try:
            first = watch.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            first = b""
        _forget(selector, registered, watch)
        if not first or first[0] == ClientPacket.CANCEL:
            watch.client_cancels()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # then there are enough bytes to wake it
            self._wake_in.send(b"\0")


def _forget(selector: selectors.BaseSelector, registered: set[Watch], watch: Watch) -> None:
    if watch in registered:
        registered.discard(watch)
        selector.unregister(watch.socket)
    watch.socket.close()
