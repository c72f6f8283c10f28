"""Data that cannot be judged is refused, or the assessment says what it left out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modeltrail.processors.ethics.assessing import assess
from modeltrail.processors.ethics.assessment import Bounds
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.assessment_settings import assessment_settings
from modeltrail.schemas.events import AssessmentRefusal
from tests.assessed import NOTHING_WRITTEN, assessed, report_of

SETTINGS = """
outcome: {truth: truth, prediction: predicted}
sensitive: [sex]
"""
ALSO_PRIVATE = SETTINGS + "privacy: {quasi_identifiers: [sex]}\n"


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "sex": chance.choice(["f", "m"], 300),
            "truth": chance.integers(0, 2, 300),
            "predicted": chance.integers(0, 2, 300),
            "ms": chance.lognormal(3, 0.3, 300),
        }
    )


def refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


def test_missing_columns_are_named_beside_those_that_are_there(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    found = refusal(lambda: assessed(tmp_path, table.drop(columns=["predicted"]), SETTINGS))
    assert found.reason is AssessmentRefusal.MISSING_COLUMNS
    assert "predicted" in found.detail
    assert "sex, truth, ms" in found.detail


def test_three_rows_are_too_few(table: pd.DataFrame, tmp_path: Path) -> None:
    found = refusal(lambda: assessed(tmp_path, table.head(3), SETTINGS))
    assert found.reason is AssessmentRefusal.TOO_FEW_ROWS
    assert "3 rows, 20 are needed" in found.detail


def test_one_group_is_refused_unless_something_else_is_judged(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table["sex"] = "f"
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS))
    assert found.reason is AssessmentRefusal.ONE_GROUP
    judged = assessed(tmp_path, table, ALSO_PRIVATE)
    assert report_of(judged)["privacy"]["anonymity"]["k_anonymity"]["value"] == 300
    assert judged.bias_risk == "NOT_JUDGED"
    assert any("the group 'f' only" in each for each in judged.not_judged)


def test_one_class_is_judged_as_far_as_it_goes(table: pd.DataFrame, tmp_path: Path) -> None:
    table["truth"] = 1
    judged = assessed(tmp_path, table, SETTINGS)
    sex = report_of(judged)["fairness"]["sex"]
    assert sex["demographic_parity_difference"]["value"] is not None
    assert sex["equalized_odds_difference"]["value"] is None
    assert any("every truth is '1'" in each for each in judged.not_judged)
    table["predicted"] = 1
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS))
    assert found.reason is AssessmentRefusal.ONE_CLASS


def test_a_favourable_label_that_nobody_has_is_named(table: pd.DataFrame, tmp_path: Path) -> None:
    # Given outcomes in words, and settings that still call 1 the favourable one
    words = table.assign(
        **{name: np.where(table[name] == 1, "good", "bad") for name in ("truth", "predicted")}
    )
    found = refusal(lambda: assessed(tmp_path, words, SETTINGS))
    assert found.reason is AssessmentRefusal.ONE_CLASS
    assert "no truth and no prediction is '1'; truths are bad, good" in found.detail
    # Then with another aim the assessment says so, and calls nothing fair
    judged = assessed(tmp_path, words, ALSO_PRIVATE)
    assert any("truths are bad, good" in each for each in judged.not_judged)
    assert "bias" not in report_of(judged)
    assert judged.bias_risk == "NOT_JUDGED"


def test_rows_without_what_privacy_needs_are_counted(table: pd.DataFrame, tmp_path: Path) -> None:
    chance = np.random.default_rng(4)
    table["member"] = np.arange(300) % 2
    table["loss"] = chance.exponential(size=300)
    table["similarity"] = chance.random(300)
    table.loc[:6, "loss"] = np.nan
    table.loc[5:9, "similarity"] = np.nan
    settings = SETTINGS + "privacy: {member: member, loss: loss, similarity: similarity}\n"
    judged = assessed(tmp_path, table, settings)
    privacy = report_of(judged)["privacy"]
    assert privacy["membership"]["auc"]["n"] == 293
    assert privacy["identity"]["reidentification_rate"]["n"] == 295
    assert "privacy.membership: 7 of 300 rows, as a number is missing" in judged.not_judged
    assert "privacy.identity: 5 of 300 rows, as a number is missing" in judged.not_judged


def test_rows_with_something_missing_are_left_out_and_counted(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table = table.astype(object)
    table.loc[:9, "sex"] = None
    table.loc[10:14, "truth"] = np.nan
    table.loc[15:17, "predicted"] = "NaN"
    judged = assessed(tmp_path, table, SETTINGS)
    report = report_of(judged)
    assert report["data"]["left_out_share"]["value"] == pytest.approx(18 / 300)
    assert (
        sum(each["rows"]["value"] for each in report["fairness"]["sex"]["groups"].values()) == 282
    )
    assert judged.not_judged[:3] == (
        "fairness: 3 of 300 rows, as a prediction or an input of the model is missing",
        "fairness: 10 of 300 rows, as a sensitive attribute is missing",
        "fairness: 5 of 300 rows, as the truth is missing",
    )
    assert "LABELS_MISSING" in {each.rule for each in judged.recommendations}


def test_mixed_types_are_read_for_what_they_mean(table: pd.DataFrame, tmp_path: Path) -> None:
    plain = assessed(tmp_path, table, SETTINGS)
    mixed = table.astype(object)
    mixed["truth"] = [
        [value, float(value), str(bool(value)), f" {value} "][row % 4]
        for row, value in enumerate(table["truth"])
    ]
    assert assessed(tmp_path, mixed, SETTINGS).report_json == plain.report_json


def test_words_among_latencies_are_counted_and_not_judged(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table = table.astype({"ms": object})
    table.loc[:4, "ms"] = "slow"
    table.loc[5, "ms"] = float("inf")
    table.loc[6, "ms"] = -1.0
    judged = assessed(tmp_path, table, SETTINGS + "latency: ms\n")
    assert "ms: 7 of 300 rows, as there is no number from 0 to 4e12" in judged.not_judged
    groups = report_of(judged)["latency"]["sex"]["groups"]
    assert sum(each["latency_mean_ms"]["n"] for each in groups.values()) == 293


@pytest.mark.parametrize("rows", [1, 250])
def test_more_rows_or_bytes_than_allowed_are_refused(
    rows: int, table: pd.DataFrame, tmp_path: Path
) -> None:
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS, bounds=Bounds(most_rows=rows)))
    assert found.reason is AssessmentRefusal.TOO_LARGE
    assert "sample" in found.detail
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS, bounds=Bounds(most_bytes=100)))
    assert found.reason is AssessmentRefusal.TOO_LARGE


def test_an_attribute_of_a_thousand_labels_is_to_be_cut(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table["sex"] = np.arange(300)
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS))
    assert found.reason is AssessmentRefusal.TOO_LARGE
    assert "cuts" in found.detail
    cut = assessed(tmp_path, table, SETTINGS + "cuts: {sex: [100, 200]}\n")
    assert set(report_of(cut)["fairness"]["sex"]["groups"]) == {
        "under 100", "100 up to 200", "200 and more",
    }  # fmt: skip


UNREADABLE = {
    "empty": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "zeros": b"a,b\n1,2\n\x00\x00",
    "half a Parquet file": b"PAR1" + bytes(100),
    "ragged": b"sex,truth,predicted\n" + b"f,1,1\n" * 30 + b"f,1\n",
    "a name twice": b"sex,sex,truth,predicted\n" + b"f,f,1,1\n" * 30,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_table_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(UNREADABLE[name])
    found = refusal(lambda: assess(assessment_settings(SETTINGS), path, None, NOTHING_WRITTEN))
    assert found.reason is AssessmentRefusal.DATA_UNREADABLE


@pytest.mark.parametrize("role", ["sensitive: [sex, odd]", "unit: odd\nsensitive: [sex]"])
def test_lists_are_no_labels(role: str, table: pd.DataFrame, tmp_path: Path) -> None:
    table["odd"] = [[1.0, 2.0]] * len(table)
    settings = SETTINGS.replace("sensitive: [sex]", role)
    found = refusal(lambda: assessed(tmp_path, table, settings, parquet=True))
    assert found.reason is AssessmentRefusal.DATA_UNREADABLE
    assert "list" in found.detail


def test_dates_are_labels_but_no_latencies(table: pd.DataFrame, tmp_path: Path) -> None:
    table["day"] = pd.to_datetime("2026-01-01") + pd.to_timedelta(np.arange(300) % 3, unit="D")
    settings = SETTINGS.replace("[sex]", "[day]") + "latency: day\n"
    judged = assessed(tmp_path, table, settings, parquet=True)
    assert len(report_of(judged)["fairness"]["day"]["groups"]) == 3
    assert "day: 300 of 300 rows, as there is no number from 0 to 4e12" in judged.not_judged


@pytest.mark.parametrize("parquet", [False, True])
def test_a_heading_without_rows_is_too_little(
    parquet: bool, table: pd.DataFrame, tmp_path: Path
) -> None:
    found = refusal(lambda: assessed(tmp_path, table.head(0), SETTINGS, parquet=parquet))
    assert found.reason is AssessmentRefusal.TOO_FEW_ROWS


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "gone.csv"
    found = refusal(lambda: assess(assessment_settings(SETTINGS), path, None, NOTHING_WRITTEN))
    assert found.reason is AssessmentRefusal.DATA_MISSING


def test_a_group_without_cases_gets_no_rate_instead_of_zero(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table.loc[table["sex"] == "m", "truth"] = 0
    groups = report_of(assessed(tmp_path, table, SETTINGS))["fairness"]["sex"]["groups"]
    assert groups["m"]["true_positive_rate"]["value"] is None
    assert groups["m"]["true_positive_rate"]["note"] == "the group has no row of that kind"
    assert groups["f"]["true_positive_rate"]["value"] > 0


def test_a_policy_that_names_no_rule_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    found = refusal(lambda: assessed(tmp_path, table, SETTINGS + "policy: {NO_SUCH: 1}\n"))
    assert found.reason is AssessmentRefusal.INVALID_SETTINGS
    assert "BIAS_ABOVE_0_1" in found.detail
