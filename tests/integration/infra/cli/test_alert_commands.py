"""The alerts and truth commands on a real log: follow, list, acknowledge, silence, load."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.schemas.events import AlertPending, AlertRaised, AlertResolved, Fact
from modeltrail.schemas.ids import ModelId
from modeltrail.schemas.topics import ALERTS, INFERENCE, key_of
from tests.alert_facts import alert_id, step
from tests.integration.conftest import worker_environment
from tests.integration.sinks.log import Log
from tests.waiting import eventually

PROGRAM = (sys.executable, "-m", "modeltrail.infra.cli")


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


def append(log: Log, *facts: Fact) -> None:
    for fact in facts:
        model_id: ModelId = fact.model_id  # type: ignore[attr-defined]
        log.append(ALERTS, [fact], key=key_of(model_id))


def run(log: Log, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=worker_environment(log.settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def listed(log: Log, *arguments: str) -> list[dict[str, object]]:
    answer = run(log, "alerts", "list", "--format", "json", *arguments)
    assert answer.returncode == 0, answer.stderr
    rows: list[dict[str, object]] = json.loads(answer.stdout)
    return rows


def test_an_alert_is_listed_acknowledged_silenced_and_gone_when_it_is_over(log: Log) -> None:
    other = ModelId("other")
    append(log, step(AlertRaised), step(AlertPending, "p", model_id=other), step(AlertRaised, "x"))
    append(log, step(AlertResolved, "x"))
    assert {(row["alert_id"], row["state"]) for row in listed(log)} == {
        (alert_id("a").hex(), "open"),
        (alert_id("p").hex(), "pending"),
    }
    assert [row["model_id"] for row in listed(log, "--model", "other")] == ["other"]

    prefix = alert_id("a").hex()[:10]
    seen = run(log, "alerts", "ack", prefix, "--by", "mina", "--comment", "on it")
    assert alert_id("a").hex() in seen.stdout
    quiet = run(log, "alerts", "silence", "--model", "other", "--for", "2h", "--by", "mina")
    assert "1 open alerts match" in quiet.stdout

    rows = {row["alert_id"]: row for row in listed(log)}
    assert rows[alert_id("a").hex()]["acknowledged_by"] == "mina"
    assert rows[alert_id("p").hex()]["silenced"] is True
    assert rows[alert_id("a").hex()]["silenced"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ("alerts", "ack", "0000", "--by", "mina"),
        ("alerts", "silence", "--model", "*", "--for", "2h", "--by", "mina"),
        ("truth", "load", "missing.csv"),
    ],
)
def test_what_cannot_be_is_one_message_and_exit_code_1(log: Log, arguments: Sequence[str]) -> None:
    answer = run(log, *arguments)

    assert answer.returncode == 1
    assert answer.stderr.startswith("modeltrail: ")
    assert "Traceback" not in answer.stderr


def test_tail_shows_each_step_as_it_happens_until_ctrl_c(log: Log) -> None:
    append(log, step(AlertRaised), step(AlertRaised, "elsewhere", model_id=ModelId("other")))
    tail = subprocess.Popen(
        [*PROGRAM, "alerts", "tail", "--from-beginning", "--json", "--model", "centerface"],
        env=worker_environment(log.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tail.stdout is not None
    assert json.loads(tail.stdout.readline())["type"] == "AlertRaised"
    append(log, step(AlertResolved))
    assert json.loads(tail.stdout.readline())["type"] == "AlertResolved"

    tail.send_signal(signal.SIGINT)
    rest, errors = tail.communicate(timeout=300)
    assert (tail.returncode, rest, errors) == (0, "", "")


def test_truth_is_loaded_whole_or_not_at_all(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    rows = [f"gate-{number % 5},morning,{number},centerface,2" for number in range(500)]
    file.write_text("\n".join(["node_id,session_id,frame,model_id,faces", *rows, "bad"]))

    refused = run(log, "truth", "load", str(file))
    assert refused.returncode == 1
    assert "line 502: 1 cells, the heading has 5" in refused.stderr
    assert appended(log) == 0

    file.write_text("\n".join(["node_id,session_id,frame,model_id,faces", *rows]))
    loaded = run(log, "truth", "load", str(file), "--source", "annotators")
    assert "appended ground truth of 500 frames" in loaded.stdout
    eventually(lambda: appended(log) == 500)


def appended(log: Log) -> int:
    return sum(end for (topic, _), end in log.ends().items() if topic == INFERENCE.name)
