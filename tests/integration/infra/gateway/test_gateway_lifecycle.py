"""Starting, ending, refusing: passwords, locks, signals, limits and bytes that make no sense."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import Error, ServerException

from tests.waiting import eventually

from .conftest import Gateway

ROOM_FOR_THREE = ("--max-connections", "3")


@pytest.fixture
def small_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with room for three clients."""
    gateway = Gateway(tmp_path, ROOM_FOR_THREE)
    gateway.start()
    yield gateway
    gateway.end()


@pytest.fixture
def impatient_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with room for three clients, and little patience."""
    options = ("--hello-timeout", "0.3", "--packet-timeout", "0.3")
    gateway = Gateway(tmp_path, (*ROOM_FOR_THREE, *options))
    gateway.start()
    yield gateway
    gateway.end()


def serves(gateway: Gateway) -> bool:
    """Whether it has room for one more client, who was not too slow for it."""
    try:
        return bool(gateway.client().execute("SELECT 1") == [(1,)])
    except (Error, EOFError, OSError):
        return False


@pytest.mark.parametrize(
    ("user", "password"), [("writer", "wrong"), ("writer", ""), ("nobody", "secret n"), ("", "")]
)
def test_a_wrong_password_has_code_516(gateway: Gateway, user: str, password: str) -> None:
    with pytest.raises(ServerException) as caught:
        Client("127.0.0.1", port=gateway.port, user=user, password=password).execute("SELECT 1")

    assert caught.value.code == 516
    assert password == "" or password not in str(caught.value)


def test_an_unknown_database_has_code_81(gateway: Gateway) -> None:
    with pytest.raises(ServerException) as caught:
        gateway.client(database="nowhere").execute("SELECT 1")

    assert caught.value.code == 81


def test_it_listens_on_loopback_only(gateway: Gateway) -> None:
    assert gateway.process is not None
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(gateway.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening == ["127.0.0.1"]


def test_a_second_gateway_on_the_same_data_is_refused(own_gateway: Gateway) -> None:
    second = own_gateway.spawn(stderr=subprocess.PIPE)
    _, problem = second.communicate(timeout=30)

    assert second.returncode == 2
    assert "Another gateway works on" in problem


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_while_clients_work(
    own_gateway: Gateway, number: signal.Signals
) -> None:
    client = own_gateway.client()
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    progress = client.execute_with_progress("SELECT sum(sipHash64(number)) FROM numbers(1e13)")
    next(progress)
    inserting = own_gateway.client()
    inserting.connection.connect()
    inserting.connection.send_query("INSERT INTO t VALUES")
    inserting.connection.send_external_tables([])
    inserting.receive_sample_block()

    assert own_gateway.end(number) == 0

    own_gateway.start()
    assert own_gateway.client().execute("SELECT count() FROM t") == [(0,)]


def test_too_many_clients_are_refused_and_room_comes_back(small_gateway: Gateway) -> None:
    clients = [small_gateway.client() for _ in range(3)]
    for client in clients:
        client.execute("SELECT 1")

    with pytest.raises(ServerException) as caught:
        small_gateway.client().execute("SELECT 1")
    assert caught.value.code == 202

    clients[0].disconnect()

    eventually(lambda: serves(small_gateway))


def test_silent_clients_do_not_keep_their_place(impatient_gateway: Gateway) -> None:
    silent = [socket.create_connection(("127.0.0.1", impatient_gateway.port)) for _ in range(3)]
    silent[1].sendall(b"\x00\x05abc")

    for connection in silent:
        connection.settimeout(30)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
        assert b"Timeout exceeded" in answer
        connection.close()

    # A place is free a moment after its client was told.
    eventually(lambda: serves(impatient_gateway))


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" + b"\xff" * 40,
        b"\x00\x01a\x01\x01\x01\x00\x00\x00",
        b"\x63",
    ],
)
def test_bytes_that_are_no_hello_get_an_error_and_nothing_else(
    gateway: Gateway, garbage: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece

    assert answer == b"" or b"DB::Exception" in answer
    assert gateway.client().execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (b"\x07", 99),  # a packet that only servers send each other
        (b"\x02\x00\x00\x00\x00", 101),  # a block without an insert
        (b"\x0b", 99),  # a request for an SSH challenge
    ],
)
def test_packets_that_are_not_supported_end_their_connection_only(
    gateway: Gateway, packet: bytes, code: int
) -> None:
    other = gateway.client()
    other.execute("SELECT 1")
    client = gateway.client()
    client.execute("SELECT 1")
    client.connection.socket.sendall(packet)

    answer = client.connection.receive_packet()

    assert answer.exception.code == code
    with pytest.raises(EOFError):
        client.connection.receive_packet()
    assert other.execute("SELECT 1") == [(1,)]


def test_a_corrupted_frame_ends_its_connection_with_code_40(gateway: Gateway) -> None:
    client = gateway.client(compression="lz4")
    client.execute("CREATE TABLE IF NOT EXISTS default.corrupted (a UInt64) ENGINE = Memory")
    connection = client.connection
    connection.send_query("INSERT INTO default.corrupted VALUES")
    connection.send_external_tables([])
    client.receive_sample_block()
    connection.socket.sendall(
        b"\x02\x00" + b"\x00" * 16 + b"\x82\x0a\x00\x00\x00\x01\x00\x00\x00\x10"
    )

    assert connection.receive_packet().exception.code == 40
    with gateway.client() as other:
        assert other.execute("SELECT count() FROM default.corrupted") == [(0,)]


def test_a_zstd_frame_is_refused_with_code_48(gateway: Gateway) -> None:
    client = gateway.client(compression="lz4")
    client.execute("CREATE TABLE IF NOT EXISTS default.corrupted (a UInt64) ENGINE = Memory")
    connection = client.connection
    connection.send_query("INSERT INTO default.corrupted VALUES")
    connection.send_external_tables([])
    client.receive_sample_block()
    connection.socket.sendall(
        b"\x02\x00" + b"\x00" * 16 + b"\x90\x0a\x00\x00\x00\x01\x00\x00\x00\x10"
    )

    assert connection.receive_packet().exception.code == 48


def test_passwords_and_parameters_are_not_logged(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ("--log-level", "DEBUG"))
    gateway.start()
    gateway.end()
    gateway.process = gateway.spawn(stderr=subprocess.PIPE)
    assert gateway.process.stdout is not None
    gateway.port = int(gateway.process.stdout.readline().strip().rpartition(":")[2])
    with (
        gateway.client(settings={"server_side_params": True}) as client,
        pytest.raises(ServerException),
    ):
        client.execute("SELECT throwIf({x:String} != '')", {"x": "private thing"})
    assert gateway.process.stderr is not None
    gateway.process.terminate()
    log = gateway.process.stderr.read()
    gateway.process.wait(30)
    gateway.process.stdout.close()
    gateway.process.stderr.close()

    assert "code 395" in log
    assert "private thing" not in log
    assert "secret w" not in log
