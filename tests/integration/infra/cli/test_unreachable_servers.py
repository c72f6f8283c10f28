"""Commands that meet servers which do not answer say what to do next."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from modeltrail.infra.cli.checks import SERVER_CHECKS, machine
from modeltrail.infra.cli.checks.finding import Finding
from modeltrail.infra.cli.group import cli
from modeltrail.infra.config import Settings, StackSettings


@pytest.fixture
def closed_port() -> Iterator[int]:
    # Bound but not listening: every connection is refused.
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@pytest.fixture(autouse=True)
def addresses(closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = f"127.0.0.1:{closed_port}"
    monkeypatch.setenv("MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS", address)
    monkeypatch.setenv("MODELTRAIL_SCHEMA_REGISTRY_URL", f"http://{address}")
    monkeypatch.setenv("MODELTRAIL_CLICKHOUSE_HOST", "127.0.0.1")
    monkeypatch.setenv("MODELTRAIL_CLICKHOUSE_PORT", str(closed_port))


def test_sql_says_how_to_start_what_does_not_answer(closed_port: int) -> None:
    result = CliRunner().invoke(cli, ["sql", "SELECT 1"])

    assert result.exit_code == 1
    message = str(result.exception)
    assert message.startswith(f"no answer from ClickHouse at 127.0.0.1:{closed_port}")
    assert "`modeltrail up --detach` starts it" in message
    assert "MODELTRAIL_CLICKHOUSE_HOST" in message


def test_doctor_names_every_server_that_does_not_answer_and_fails() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--servers-only"])

    assert result.exit_code == 1
    failed = [line for line in result.output.splitlines() if line.startswith("fail")]
    named = {line[5:27].strip() for line in failed}
    assert named == {"kafka", "schema registry", "clickhouse: writer", "clickhouse: reader"}
    assert result.output.count("-> `modeltrail status`") == len(failed)
    assert "4 to mend" in result.output


def found_without_servers() -> list[Finding]:
    return [finding for check in SERVER_CHECKS for finding in check(Settings())]


def test_doctor_only_warns_where_no_server_is_configured() -> None:
    found = found_without_servers()

    assert {finding.level for finding in found} == {"warn"}
    assert all("modeltrail up" in finding.next_step for finding in found)


def test_doctor_warns_of_a_remembered_port_that_another_program_took(
    closed_port: int, tmp_path: Path
) -> None:
    (tmp_path / "ports.json").write_text(f'{{"kafka": {closed_port}}}')

    (finding,) = machine.ports(Settings(stack=StackSettings(data_dir=str(tmp_path))))

    assert finding.level == "warn"
    assert f"{closed_port} (kafka)" in finding.detail


def test_doctor_tells_missing_archives_and_who_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    (finding,) = machine.archives(Settings())

    assert finding.level == "warn"
    assert finding.detail.startswith("47 of 47 are missing or damaged")
    assert "`modeltrail up`" in finding.next_step


def test_doctor_finds_this_machine_fit_to_run_java() -> None:
    (finding,) = machine.java_runs(Settings())

    assert finding.level == "ok"
    assert 'version "25' in finding.detail


def test_doctor_tells_the_packages_of_each_extra() -> None:
    found = {finding.name: finding for finding in machine.packages(Settings())}

    assert found["packages: core"].level == "ok"
    assert found["packages: embedded"].level == "ok"
