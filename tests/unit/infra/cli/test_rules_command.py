"""`modeltrail rules` from a file to the log, and back to what the file would say."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from modeltrail.infra.cli.group import cli
from modeltrail.producers import rules
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.rules import RulesClient
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import RULES

TEXT = """
"*":
  rules: [{name: SILENT, statistic: NO_DATA, window: 1m}]
centerface:
  latency_threshold: 50
  accuracy_threshold: 0.9
  drift: {persistence: 2}
"""


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: MemoryLog) -> Path:
    monkeypatch.chdir(tmp_path)
    ids = MemorySchemaIds()
    monkeypatch.setattr(
        rules, "RulesClient", lambda settings: RulesClient(settings, log=log, schema_ids=ids)
    )
    (tmp_path / "rules.yaml").write_text(TEXT)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["rules", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_was_set_is_shown_as_a_file_that_sets_it() -> None:
    said = run("set", "rules.yaml", "--by", "ops")

    assert said.splitlines() == [
        "*: 1 rule set",
        "centerface: 2 rules set",
        "centerface: drift policy set",
    ]
    assert parse_rules(run("show")) == parse_rules(TEXT)


def test_only_one_model_can_be_shown() -> None:
    run("set", "rules.yaml")

    assert [draft.model_id for draft in parse_rules(run("show", "--model", "*"))] == ["*"]
    assert run("show", "--model", "other") == "# nothing is set for other\n"


def test_a_file_can_be_checked_without_setting_it(log: MemoryLog) -> None:
    assert "centerface: 2 rules can be set" in run("set", "--check", "rules.yaml")
    assert log.records(RULES) == []


def test_a_bad_file_sets_nothing_and_says_where_it_is_wrong(folder: Path, log: MemoryLog) -> None:
    (folder / "bad.yaml").write_text(TEXT + "  latency_treshold: 3\n")

    with pytest.raises(ModeltrailError) as caught:
        run("set", "bad.yaml")

    assert str(caught.value) == (
        "bad.yaml cannot be set, nothing was:\n"
        "  line 8: centerface: unknown field 'latency_treshold': did you mean latency_threshold?"
    )
    assert log.records(RULES) == []


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "picture").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(ModeltrailError, match="write it in UTF-8"):
        run("set", "picture")
