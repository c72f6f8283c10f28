"""`modeltrail ethics`: what people may ask for, and what they see of an answer."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from modeltrail.infra.cli.ethics import ethics
from modeltrail.infra.cli.ethics_report import as_object, write_report
from modeltrail.infra.config import Settings
from modeltrail.schemas.events import EthicsAssessed
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from tests.assessed import assessed

SETTINGS = """
outcome: {truth: truth, prediction: predicted}
sensitive: [sex]
latency: ms
privacy: {quasi_identifiers: [sex, age]}
cuts: {age: [30]}
"""


@pytest.fixture
def answer(tmp_path: Path) -> EthicsAssessed:
    chance = np.random.default_rng(1)
    rows = 150
    sex = chance.choice(["female", "male\x1b[2J"], rows, p=[0.3, 0.7])
    truth = chance.integers(0, 2, rows)
    table = pd.DataFrame(
        {
            "sex": sex,
            "age": chance.integers(18, 60, rows),
            "truth": truth,
            "predicted": np.where(sex == "female", 0, truth),
            "ms": chance.lognormal(3, 0.2, rows),
        }
    )
    found = assessed(tmp_path, table, SETTINGS)
    return EthicsAssessed(
        EventId(bytes(16)), Micros(0), EventId(bytes(16)), ModelId("credit"), Version("v1.0.0"),
        Sha256(bytes(32)), found.rows, found.bias_risk, found.privacy_risk,
        found.transparency_score, found.report_json, found.recommendations, found.not_judged,
    )  # fmt: skip


def test_a_report_shows_risks_groups_figures_advice_and_gaps(answer: EthicsAssessed) -> None:
    output = io.StringIO()
    write_report(answer, output)
    shown = output.getvalue()
    for expected in (
        "credit v1.0.0 on 150 rows: bias HIGH, privacy",
        "fairness by sex",
        "female *",
        "* a small group: its rates are uncertain",
        "latency by sex",
        "demographic_parity_ratio",
        "anonymity.k_anonymity",
        "Consider retraining with more diverse data to reduce bias.",
        "missing: ",
        "not judged: privacy.membership",
    ):
        assert expected in shown, expected
    # What others wrote must not move the cursor.
    assert "\x1b" not in shown


def test_a_program_gets_the_report_as_an_object(answer: EthicsAssessed) -> None:
    found = json.loads(json.dumps(as_object(answer), allow_nan=False))
    assert found["bias_risk"] == answer.bias_risk
    assert found["report"]["fairness"]["sex"]["groups"]["female"]["rows"]["n"] > 0
    assert found["recommendations"][0]["cites"] == answer.recommendations[0].cites


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say what to look at"),
        (["--prediction", "p"], "give --truth"),
        (["--settings", "FILE", "--truth", "t"], "leave out --truth"),
    ],
)
def test_contradicting_options_are_told_before_anything_is_asked(
    options: list[str], said: str, tmp_path: Path
) -> None:
    data, file = tmp_path / "data.csv", tmp_path / "settings.yaml"
    data.write_text("t,p\n1,1\n")
    file.write_text(SETTINGS)
    options = [str(file) if each == "FILE" else each for each in options]
    asked = ["assess", "credit", "v1.0.0", str(data), *options]
    result = CliRunner().invoke(ethics, asked, obj=Settings())
    assert result.exit_code == 2
    assert said in result.output
