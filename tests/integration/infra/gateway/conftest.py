"""Starts real gateways as subprocesses on free loopback ports and temporary data directories."""

import itertools
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from clickhouse_driver import Client

from modeltrail.infra.gateway.accounts import Account, write_accounts

_PATIENCE_S = 300
_databases = itertools.count(1)
#: What the reader of the shared gateway is kept to.
READER_LIMITS = {
    "max_memory_usage": 200_000_000,
    "max_execution_time": 5,
    "max_result_rows": 50_000,
}


@dataclass
class Gateway:
    """One gateway on one data directory; may be started again after it ended."""

    folder: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    port: int = 0
    clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        write_accounts(
            self.folder / "accounts.json",
            [
                Account.with_password("writer", "secret w", "writer"),
                Account.with_password("trusted", "secret t", "writer", external_sources=True),
                Account.with_password(
                    "reader", "secret r", "reader", databases=("open",), limits=READER_LIMITS
                ),
            ],
        )
        self.process = self.spawn(stderr=None)
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(_PATIENCE_S), "the gateway is not ready"
        word, _, address = self.process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        self.port = int(address.rpartition(":")[2])

    def spawn(self, stderr: int | None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "modeltrail.infra.gateway",
                "--data-dir",
                str(self.folder / "data"),
                "--accounts",
                str(self.folder / "accounts.json"),
                *self.options,
            ],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def client(self, user: str = "writer", **options: object) -> Client:
        client = Client(
            "127.0.0.1", port=self.port, user=user, password=f"secret {user[0]}", **options
        )
        self.clients.append(client)
        return client

    def rss(self) -> int:
        """Resident memory in bytes."""
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def holds(self, port: int) -> bool:
        """Whether the connection of the client at this port is still open here."""
        assert self.process is not None
        return any(
            connection.raddr and connection.raddr.port == port
            for connection in psutil.Process(self.process.pid).net_connections("tcp")
        )

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the process with a signal and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(_PATIENCE_S)
        for client in self.clients:
            client.disconnect()
        self.clients.clear()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway that most tests share."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.start()
    yield gateway
    assert gateway.end() == 0


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that a test may end and start again."""
    gateway = Gateway(tmp_path)
    gateway.start()
    yield gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.end(signal.SIGKILL)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    """A writer in a database of its own, which is dropped at the end."""
    admin = gateway.client()
    name = f"test_{next(_databases)}"
    admin.execute(f"CREATE DATABASE {name}")
    client = gateway.client(database=name)
    yield client
    client.disconnect()
    admin.execute(f"DROP DATABASE {name}")
    admin.disconnect()
