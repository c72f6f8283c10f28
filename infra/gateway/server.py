"""Listens on the loopback interface and gives each client a thread, up to a limit."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from modeltrail.infra.gateway.accounts import Account
from modeltrail.infra.gateway.engine import Engine
from modeltrail.infra.gateway.engine_config import write_config
from modeltrail.infra.gateway.errors import Code, GatewayError, ProtocolError
from modeltrail.infra.gateway.session import Session
from modeltrail.infra.gateway.shared import Shared
from modeltrail.infra.gateway.watcher import Watcher
from modeltrail.infra.gateway.wire import Timeouts

_log = logging.getLogger(__name__)
_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 128
_GRACE_S: Final = 15.0
_RETRY_S: Final = 0.1


class DataDirectoryLocked(Exception):
    """Another gateway works on this data directory."""


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold a data directory for this process alone; created if it is not there.

    Raises:
        DataDirectoryLocked: another process holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / "gateway.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryLocked(
                f"Another gateway works on {data}: stop it, or choose another --data-dir."
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def running_engine(
    data: Path, accounts: tuple[Account, ...], timeouts: Timeouts
) -> Iterator[Shared]:
    """Start the engine on a locked data directory, and shut it down at the end."""
    spool = data / "spool"
    spool.mkdir(exist_ok=True)
    engine = Engine(data / "engine", write_config(data / "config", accounts))
    watcher = Watcher()
    try:
        yield Shared(
            engine=engine,
            accounts=accounts,
            spool_folder=spool,
            table_functions=frozenset(engine.table_function_names()),
            setting_types=engine.setting_types(),
            watcher=watcher,
            timeouts=timeouts,
        )
    finally:
        watcher.close()
        engine.close()


class Server:
    """The listening socket and the sessions behind it."""

    def __init__(self, shared: Shared, port: int, max_connections: int) -> None:
        self._shared = shared
        self._max_connections = max_connections
        self._lock = threading.Lock()
        self._sessions: dict[threading.Thread, socket.socket] = {}
        self._started = 0
        self._closing = False
        self._listener = socket.create_server((_HOST, port), backlog=_BACKLOG)

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept clients until `close`."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._closing:
                    return
                raise
            self._begin(client)

    def stop_accepting(self) -> None:
        """Make `serve` return; may be called from any thread."""
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

    def close(self) -> bool:
        """End all sessions, stopping what they run. Tells whether all ended in time."""
        self.stop_accepting()
        self._listener.close()
        with self._lock:
            sessions = dict(self._sessions)
        for client in sessions.values():
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + _GRACE_S
        for thread in sessions:
            while thread.is_alive() and time.monotonic() < deadline:
                with suppress(GatewayError):
                    self._shared.engine.kill_all()
                thread.join(_RETRY_S)
        return not any(thread.is_alive() for thread in sessions)

    def _begin(self, client: socket.socket) -> None:
        self._started += 1
        session = Session(client, self._started, self._shared)
        with self._lock:
            full = len(self._sessions) >= self._max_connections
            thread = threading.Thread(
                target=self._refuse if full else self._serve,
                args=(session,),
                name=f"session-{self._started}",
                daemon=True,
            )
            if not full:
                self._sessions[thread] = client
        thread.start()

    def _serve(self, session: Session) -> None:
        try:
            session.serve()
        finally:
            with self._lock:
                del self._sessions[threading.current_thread()]

    def _refuse(self, session: Session) -> None:
        session.refuse(
            ProtocolError(
                Code.TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many connections: at most {self._max_connections}. Close some and try again.",
            )
        )
