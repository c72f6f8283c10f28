"""The embedded servers as a user meets them: up, found by clients, killed, down, and up again."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from clickhouse_driver import Client
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_LOG_APPEND_TIME,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import NewTopic

from modeltrail.infra.clickhouse import make_client, make_reader
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.kafka import make_admin, make_consumer, make_producer
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.process import survivors
from modeltrail.infra.stack.state import load_state
from tests.waiting import eventually

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SERVERS = {"kafka", "registry", "clickhouse"}
SCHEMA = '{"type":"record","name":"Kept","fields":[{"name":"n","type":"int"}]}'


@dataclass(frozen=True)
class Stack:
    """A data folder and the command line on it."""

    root: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.env, capture_output=True, text=True
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "modeltrail.infra.cli", *arguments]

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            # No Java and no Maven: what the stack needs it brings along.
            "PATH": "/nonexistent",
            "MODELTRAIL_STACK_DATA_DIR": str(self.root),
            "MODELTRAIL_STACK_STARTUP_CACHE": "false",
            # A busy machine may need longer than a user should wait.
            "MODELTRAIL_STACK_READY_TIMEOUT_S": "300",
        }

    @property
    def settings(self) -> Settings:
        return load_settings(environ={"MODELTRAIL_STACK_DATA_DIR": str(self.root)})

    @property
    def layout(self) -> Layout:
        return Layout.at(self.root)

    @property
    def token(self) -> str:
        state = load_state(self.layout.state)
        assert state is not None
        return state.token

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--format", "json").stdout)
        return found

    def pid(self, part: str) -> int:
        return next(int(each["pid"]) for each in self.status()["parts"] if each["name"] == part)


def up(stack: Stack) -> None:
    answer = stack.run("up", "--detach", "--servers-only")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("embedded") / "data")
    up(stack)
    token = stack.token
    yield stack
    answer = stack.run("down")
    assert answer.returncode == 0, answer.stderr
    assert survivors(token) == []


def test_every_server_is_ready_and_named_with_its_process(stack: Stack) -> None:
    found = stack.status()

    assert found["state"] == "up"
    serving = {part["name"]: part for part in found["parts"] if part["state"] == "ready"}
    assert set(serving) == SERVERS
    for part in serving.values():
        assert psutil.pid_exists(part["pid"])
        assert part["rss_mb"] > 0
        assert part["uptime_s"] >= 0


def test_every_listening_socket_of_every_child_is_loopback(stack: Stack) -> None:
    listening = [
        (process.name(), connection.laddr.ip, connection.laddr.port)
        for process in survivors(stack.token)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    ]

    chosen = set(json.loads(stack.layout.ports.read_text()).values())
    assert {port for _name, _ip, port in listening} == chosen
    assert {ip.removeprefix("::ffff:") for _name, ip, _port in listening} == {"127.0.0.1"}


def test_a_second_up_says_that_it_runs_and_where(stack: Stack) -> None:
    answer = stack.run("up", "--detach")

    assert answer.returncode == 0
    assert "runs already" in answer.stdout
    assert stack.settings.kafka.bootstrap_servers in answer.stdout


def test_files_with_secrets_are_private(stack: Stack) -> None:
    modes = {
        file: mode
        for file, mode in modes_of_files(stack.root)
        if file.suffix in (".json", ".log", ".properties")
    }

    assert {file.suffix for file in modes} == {".json", ".log", ".properties"}
    assert {stack.layout.credentials, stack.layout.log("kafka")} <= set(modes)
    assert [file for file, mode in modes.items() if mode & 0o077] == []
    assert stack.root.stat().st_mode & 0o077 == 0


def test_passwords_are_in_no_command_line_and_no_log(stack: Stack) -> None:
    passwords = json.loads(stack.layout.credentials.read_text()).values()
    shown = [" ".join(process.cmdline()) for process in survivors(stack.token)]
    shown += [log.read_text(errors="replace") for log in stack.layout.logs.iterdir()]
    shown += [stack.layout.accounts.read_text(), stack.layout.state.read_text()]

    assert not [text for text in shown for password in passwords if password in text]


def test_the_logs_time_is_when_it_took_a_fact(stack: Stack) -> None:
    produce(stack.settings, "timed", b"fact", timestamp_ms=1)

    kind, taken_ms = consume(stack.settings, "timed").timestamp()

    assert kind == TIMESTAMP_LOG_APPEND_TIME
    assert abs(taken_ms / 1000 - time.time()) < 60


def test_topics_are_not_made_by_asking_for_them(stack: Stack) -> None:
    made = make_admin(stack.settings.kafka).list_topics("never-created", timeout=20)

    assert made.topics["never-created"].error is not None


def test_both_accounts_work_and_the_reader_only_reads(stack: Stack) -> None:
    with closing_client(make_client, stack.settings, database="") as writer:
        writer.execute("CREATE DATABASE IF NOT EXISTS modeltrail")
        writer.execute("CREATE TABLE modeltrail.t (n Int32, at DateTime64(3, 'UTC')) ORDER BY n")
        writer.execute("INSERT INTO modeltrail.t VALUES", [(1, EPOCH), (2, EPOCH)])

    with closing_client(make_reader, stack.settings) as reader:
        assert reader.execute("SELECT count() FROM t") == [(2,)]
    answer = stack.run("sql", "--format", "json", "SELECT n, at FROM t ORDER BY n LIMIT 1")
    assert json.loads(answer.stdout) == [{"n": 1, "at": "1970-01-01T00:00:00+00:00"}]
    refused = stack.run("sql", "DROP TABLE t")
    assert refused.returncode == 1
    assert "ClickHouse refused the query with code" in refused.stderr


def test_doctor_finds_the_servers_well(stack: Stack) -> None:
    answer = stack.run("doctor", "--servers-only")

    lines = [line.split() for line in answer.stdout.splitlines() if line.startswith("ok")]
    assert {line[1].rstrip(":") for line in lines} >= {"kafka", "schema", "clickhouse"}


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data")
    foreground = start_in_the_foreground(stack)
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if "starting " in line and "stack" not in line:
            break
    token = stack.token

    os.killpg(foreground.pid, signal.SIGINT)

    assert foreground.stdout.read().rstrip().endswith("stopped")
    assert foreground.wait() == 0
    foreground.stdout.close()
    assert survivors(token) == []
    assert stack.status()["state"] == "down"


def test_a_killed_server_is_named_and_a_restart_keeps_what_was_stored(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data")
    up(stack)
    try:
        produce(stack.settings, "kept", b"fact")
        body = json.dumps({"schema": SCHEMA})
        schema_id = ask_registry(stack.settings, "POST", "/subjects/Kept/versions", body)["id"]
        with closing_client(make_client, stack.settings, database="") as client:
            client.execute("CREATE DATABASE kept")
        ports = stack.layout.ports.read_text()

        os.kill(stack.pid("kafka"), signal.SIGKILL)
        named = stack.run("status")
        assert named.returncode == 1
        assert "kafka ended" in named.stdout
        assert "`modeltrail down`, then `modeltrail up --detach`" in named.stdout
        assert stack.run("up", "--detach").returncode == 1

        token = stack.token
        supervisor = load_state(stack.layout.state)
        assert supervisor is not None
        os.kill(supervisor.supervisor_pid, signal.SIGKILL)
        # Kafka's address went with Kafka; those of the others go with the supervisor.
        eventually(lambda: stack.settings.clickhouse.host == "")
        assert stack.run("down").returncode == 0
        assert survivors(token) == []

        check_a_start_in_the_foreground(stack, schema_id)
        assert stack.layout.ports.read_text() == ports
    finally:
        stack.run("down")


def check_a_start_in_the_foreground(stack: Stack, schema_id: int) -> None:
    foreground = start_in_the_foreground(stack)
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if "Ctrl-C stops it" in line:
            break
    token = stack.token

    kept = ask_registry(stack.settings, "GET", f"/schemas/ids/{schema_id}")["schema"]
    assert json.loads(kept) == json.loads(SCHEMA)
    assert consume(stack.settings, "kept").value() == b"fact"
    with closing_client(make_client, stack.settings, database="") as client:
        assert ("kept",) in client.execute("SHOW DATABASES")

    # What a terminal does on Ctrl-C: the whole process group in front is signalled.
    os.killpg(foreground.pid, signal.SIGINT)
    assert foreground.wait() == 0
    assert survivors(token) == []
    assert foreground.stdout.read().rstrip().endswith("stopped")
    foreground.stdout.close()


def modes_of_files(root: Path) -> Iterator[tuple[Path, int]]:
    """Every file with its mode, without those that the servers remove meanwhile."""
    for folder, _, names in os.walk(root, onerror=_raise_unless_it_is_gone):
        for name in names:
            file = Path(folder, name)
            with suppress(FileNotFoundError):
                mode = file.stat().st_mode
                if stat.S_ISREG(mode):
                    yield file, mode


def _raise_unless_it_is_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def start_in_the_foreground(stack: Stack) -> subprocess.Popen[str]:
    return subprocess.Popen(
        stack.command("up", "--servers-only"),
        env={**stack.env, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def closing_client(
    make: Callable[..., Client], settings: Settings, **options: str
) -> Iterator[Client]:
    client = make(settings.clickhouse, **options)
    try:
        yield client
    finally:
        client.disconnect()


def ask_registry(settings: Settings, method: str, path: str, body: str = "") -> dict[str, Any]:
    url = urlsplit(settings.schema_registry.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    with closing(connection):
        kind = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        connection.request(method, url.path + path, body or None, kind)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer


def produce(settings: Settings, topic: str, value: bytes, timestamp_ms: int = 0) -> None:
    admin = make_admin(settings.kafka)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    producer = make_producer(settings.kafka)
    producer.produce(topic, value, timestamp=timestamp_ms)
    assert producer.flush(20) == 0


def consume(settings: Settings, topic: str) -> Message:
    consumer = make_consumer(settings.kafka, f"test-{topic}")
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    try:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        return message
    finally:
        consumer.close()
