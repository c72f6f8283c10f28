"""A backtest on a real log lists what fired beside what would have, and says why it cannot."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from modeltrail.infra.cli.alert_lines import time_of
from modeltrail.infra.cli.backtest_log import BacktestLog, Span
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_admin
from modeltrail.processors.backtest import Backtest, under
from modeltrail.schemas.events import AlertState, InferenceMeasured
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros, ModelId, new_event_id
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import ALERTS, INFERENCE, key_of
from tests.integration.conftest import worker_environment
from tests.integration.sinks.log import Log

PROGRAM = (sys.executable, "-m", "modeltrail.infra.cli")
SLOW = """
"*":
  rules:
    - {name: SLOW, metric: latency_ms, statistic: P95, window: 10s, above: 50}
"""


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(SLOW)
    return file


@pytest.fixture
def since_s(log: Log) -> int:
    """Two models have just been slow; a minute before that."""
    now_us = time.time_ns() // 1000
    example = example_fact(InferenceMeasured)
    for model in ("centerface", "light"):
        facts = [
            replace(
                example,
                event_id=new_event_id(),
                model_id=ModelId(model),
                captured_at=Micros(now_us),
                latency_ms=80.0,
                extra_names=(),
                extra_values=(),
            )
            for _ in range(30)
        ]
        log.append(INFERENCE, facts, key=key_of(model, "gate-1"))
    return now_us // 1_000_000 - 60


def backtest(log: Log, rules: Path, since_s: int, *more: str) -> "subprocess.CompletedProcess[str]":
    """From a minute ago until a minute from now: what ends until then is decided all the same."""
    span = ("--from", time_of(since_s * 1_000_000), "--to", time_of((since_s + 120) * 1_000_000))
    return subprocess.run(
        [*PROGRAM, "backtest", str(rules), *span, *more],
        env=worker_environment(log.settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def outcomes(answer: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    assert answer.returncode == 0, answer.stderr
    assert {row["rule"] for row in json.loads(answer.stdout)} <= {"SLOW"}
    return {row["model_id"]: row["outcome"] for row in json.loads(answer.stdout)}


def alerts_of(log: Log, since_s: int) -> list[AlertState]:
    """What workers under these rules raise of the same log."""
    span = Span(since_s * 1000 - 60_000, since_s * 1000 + 180_000)
    with ExitStack() as opened:
        sources = BacktestLog(log.settings.kafka, log.codec, "").sources(span, 1, opened)
        played = Backtest(sources, under(parse_rules(SLOW), ()), 0.0, 1)
        return [fact for _, facts in played.run() for fact in facts if isinstance(fact, AlertState)]


@pytest.mark.prove
def test_alerts_that_fired_stand_beside_those_that_would(
    log: Log, rules: Path, since_s: int
) -> None:
    assert outcomes(backtest(log, rules, since_s, "--format", "json")) == {
        "centerface": "would fire",
        "light": "would fire",
    }

    # when the alerts of one model did fire
    for alert in alerts_of(log, since_s):
        if alert.model_id == "centerface":
            log.append(ALERTS, [alert], key=key_of(alert.model_id))

    assert outcomes(backtest(log, rules, since_s, "--format", "json")) == {
        "centerface": "both",
        "light": "would fire",
    }
    of_one = backtest(log, rules, since_s, "--format", "json", "--model", "centerface")
    assert outcomes(of_one) == {"centerface": "both"}
    # and a rule that is never broken fires no more
    rules.write_text(SLOW.replace("above: 50", "above: 500"))
    assert outcomes(backtest(log, rules, since_s, "--format", "json")) == {"centerface": "fired"}


def test_a_log_that_was_deleted_in_part_is_refused(log: Log, rules: Path, since_s: int) -> None:
    name = INFERENCE.full_name(log.settings.kafka.topic_prefix)
    ends = {place[1]: end for place, end in log.ends().items() if place[0] == INFERENCE.name}
    partition = min(ends)
    admin = make_admin(log.settings.kafka)
    for future in admin.delete_records([TopicPartition(name, partition, 5)]).values():
        future.result(timeout=300)

    answer = backtest(log, rules, since_s)

    assert answer.returncode == 1
    assert f"{name} partition {partition} holds measurements since" in answer.stderr
    assert "choose a later --from" in answer.stderr
