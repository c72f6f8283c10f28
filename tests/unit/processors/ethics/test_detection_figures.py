"""Detectors and maskers are judged by the faces that they miss, and by what they cover."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.assessed import assessed, report_of

SETTINGS = """
detection: {faces: faces, missed: missed, coverage: coverage}
sensitive: [skin]
unit: session
"""


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(2)
    rows = 600
    skin = chance.choice(["I", "VI"], rows)
    faces = chance.integers(0, 4, rows)
    return pd.DataFrame(
        {
            "skin": skin,
            "faces": faces,
            "missed": chance.binomial(faces, np.where(skin == "VI", 0.3, 0.05)),
            "coverage": chance.beta(9, np.where(skin == "VI", 3, 1)),
            "session": [f"s{row // 10}" for row in range(rows)],
        }
    )


def test_miss_rates_and_coverage_are_what_the_rows_say(table: pd.DataFrame, tmp_path: Path) -> None:
    judged = assessed(tmp_path, table, SETTINGS)
    report = report_of(judged)
    rates = {}
    for skin, rows in table.groupby("skin"):
        figure = report["fairness"]["skin"]["groups"][skin]["miss_rate"]
        rates[skin] = rows["missed"].sum() / rows["faces"].sum()
        assert figure["value"] == pytest.approx(rates[skin])
        assert figure["n"] == rows["faces"].sum()
        covered = report["coverage"]["skin"]["groups"][skin]["coverage_mean"]
        assert covered["value"] == pytest.approx(rows["coverage"].mean())
        assert covered["interval"][0] < rows["coverage"].mean() < covered["interval"][1]
    difference = report["fairness"]["skin"]["miss_rate_difference"]
    assert difference["value"] == pytest.approx(rates["VI"] - rates["I"])
    assert difference["interval"][0] < 0.25 < difference["interval"][1]
    assert judged.bias_risk == "HIGH"
    fired = {each.rule for each in judged.recommendations}
    assert fired >= {"MISSES_DIFFER", "MISS_RATE_ABOVE_0_05", "COVERAGE_DIFFERS"}


def test_what_is_no_count_of_faces_is_left_out(table: pd.DataFrame, tmp_path: Path) -> None:
    table = table.astype({"faces": float, "missed": float})
    table.loc[0, "missed"] = 9
    table.loc[1, "faces"] = 1.5
    table.loc[2, "missed"] = -1
    judged = assessed(tmp_path, table, SETTINGS)
    assert "fairness: 3 of 600 rows, as faces or missed is missing, or is no count" in (
        judged.not_judged
    )


def test_few_sessions_give_no_interval_and_say_so(table: pd.DataFrame, tmp_path: Path) -> None:
    table["session"] = [f"s{row % 3}" for row in range(len(table))]
    judged = assessed(tmp_path, table, SETTINGS)
    assert report_of(judged)["fairness"]["skin"]["miss_rate_difference"]["interval"] is None
    assert any("3 independent units are too few" in each for each in judged.not_judged)
