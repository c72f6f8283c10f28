"""The command line lists its commands quickly and tells errors without a trace."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from modeltrail.infra.cli.group import COMMANDS, cli


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    for name, summary in COMMANDS.items():
        assert name in result.output
        assert summary.split()[0] in result.output


def test_help_loads_nothing_that_is_slow_to_load() -> None:
    slow = "{'rich', 'psutil', 'confluent_kafka', 'clickhouse_driver', 'chdb', 'jgo', 'polars'}"
    program = (
        "import sys; from modeltrail.infra.cli.group import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        f"print('loaded', sorted({slow} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.name == name
    assert (command.help or "").splitlines()[0] == COMMANDS[name]


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(cli, ["upp"])

    assert result.exit_code == 2
    assert "upp" in result.output


def test_an_error_of_ours_is_one_message_and_exit_code_1(folder: Path) -> None:
    (folder / "modeltrail.yaml").write_text("kafka: {partition: 1}")

    answer = subprocess.run(
        [sys.executable, "-m", "modeltrail.infra.cli", "status"], capture_output=True, text=True
    )

    assert answer.returncode == 1
    expected = "modeltrail: unknown setting kafka.partition: did you mean partitions?"
    assert answer.stderr.strip() == expected


def test_a_file_given_with_config_is_read(folder: Path) -> None:
    (folder / "other.yaml").write_text("stack: {data_dir: elsewhere}")

    result = CliRunner().invoke(cli, ["--config", "other.yaml", "status", "--format", "json"])

    assert json.loads(result.output)["state"] == "down"


def test_status_of_a_stack_that_is_down_says_how_to_start_it() -> None:
    result = CliRunner().invoke(cli, ["status"])

    assert result.exit_code == 3
    assert "start it with `modeltrail up --detach`" in result.output


def test_down_with_nothing_running_says_so_and_succeeds(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["down"])

    assert result.exit_code == 0
    assert "nothing to stop" in result.output
    assert list(folder.iterdir()) == []


def test_sql_without_a_server_says_how_to_start_one() -> None:
    result = CliRunner().invoke(cli, ["sql", "SELECT 1"])

    assert result.exit_code == 1
    assert "modeltrail up --detach" in str(result.exception)
