"""Every figure of fairness is what the rows say when they are counted one by one."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
    equalized_odds_ratio,
)

from modeltrail.processors.ethics.assessment import Assessment
from tests.assessed import assessed, report_of

SETTINGS = """
outcome: {truth: truth, prediction: predicted, positive: good}
sensitive: [sex, age]
cuts: {age: [30, 50]}
"""
RANGES = {"under 30": (0, 30), "30 up to 50": (30, 50), "50 and more": (50, 200)}


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(7)
    rows = 400
    sex = chance.choice(["female", "male"], rows, p=[0.4, 0.6])
    truth = chance.choice(["good", "fair", "bad"], rows)
    predicted = np.where(chance.random(rows) < 0.7, truth, chance.choice(["good", "bad"], rows))
    return pd.DataFrame(
        {"sex": sex, "age": chance.integers(18, 80, rows), "truth": truth, "predicted": predicted}
    )


@pytest.fixture
def assessment(table: pd.DataFrame, tmp_path: Path) -> Assessment:
    return assessed(tmp_path, table, SETTINGS)


def share(rows: list[Any], hit: Any) -> float:
    return sum(1 for row in rows if hit(row)) / len(rows)


def rates_by_hand(rows: list[Any]) -> dict[str, float]:
    """The rates of some rows, counted one by one."""
    good = [row for row in rows if row.truth == "good"]
    other = [row for row in rows if row.truth != "good"]
    return {
        "selection_rate": share(rows, lambda row: row.predicted == "good"),
        "true_positive_rate": share(good, lambda row: row.predicted == "good"),
        "false_negative_rate": share(good, lambda row: row.predicted != "good"),
        "false_positive_rate": share(other, lambda row: row.predicted == "good"),
        "accuracy": share(rows, lambda row: row.predicted == row.truth),
    }


def groups_by_hand(table: pd.DataFrame) -> dict[str, dict[str, list[Any]]]:
    rows = list(table.itertuples())
    of_sex = {sex: [row for row in rows if row.sex == sex] for sex in ("female", "male")}
    of_age = {
        name: [row for row in rows if low <= row.age < high] for name, (low, high) in RANGES.items()
    }
    both = {
        f"{sex}, {age}": [row for row in of_sex[sex] if row in of_age[age]]
        for sex, age in itertools.product(of_sex, of_age)
    }
    return {"sex": of_sex, "age": of_age, "sex and age": both}


def test_three_attributes_are_compared_in_pairs_too(table: pd.DataFrame, tmp_path: Path) -> None:
    # Given a group that is worse off only where two of three attributes meet
    chance = np.random.default_rng(11)
    table["region"] = chance.choice(["north", "south"], len(table))
    both = (table["sex"] == "female") & (table["region"] == "south")
    table.loc[both & (chance.random(len(table)) < 0.8), "predicted"] = "bad"
    judged = assessed(tmp_path, table, SETTINGS.replace("[sex, age]", "[sex, age, region]"))
    fairness = report_of(judged)["fairness"]
    pairs = {"sex and age", "sex and region", "age and region"}
    assert set(fairness) == {"sex", "age", "region", "sex and age and region"} | pairs

    # Then each pair's figures are what the rows say, one by one
    rows = list(table.itertuples())
    labels: dict[str, Any] = {
        "sex": lambda row: row.sex,
        "age": lambda row: next(name for name, (_, end) in RANGES.items() if row.age < end),
        "region": lambda row: row.region,
    }
    for pair in pairs:
        first, second = (labels[name] for name in pair.split(" and "))
        groups: dict[str, list[Any]] = {}
        for row in rows:
            groups.setdefault(f"{first(row)}, {second(row)}", []).append(row)
        found = fairness[pair]
        assert set(found["groups"]) == set(groups)
        rates = {group: rates_by_hand(members) for group, members in groups.items()}
        for group, expected in rates.items():
            assert found["groups"][group]["rows"]["value"] == len(groups[group])
            for rate, value in expected.items():
                assert found["groups"][group][rate]["value"] == pytest.approx(value, rel=1e-9)
        assert set(found["small_groups"]) == {
            group for group, members in groups.items() if len(members) < 100
        }
        selected = [each["selection_rate"] for each in rates.values()]
        assert found["demographic_parity_difference"]["value"] == pytest.approx(
            max(selected) - min(selected), rel=1e-9
        )
    worst = fairness["sex and region"]["groups"]["female, south"]["impact_ratio"]
    assert worst["interval"][1] < 0.8


def test_pairs_of_too_many_groups_are_left_out_and_the_assessment_says_so(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    chance = np.random.default_rng(12)
    for name in ("sex", "region", "work"):
        table[name] = chance.choice(list("abcdef"), len(table))
    judged = assessed(tmp_path, table, SETTINGS.replace("[sex, age]", "[sex, region, work]"))
    fairness = report_of(judged)["fairness"]
    assert set(fairness) == {"sex", "region", "work", "sex and region and work"}
    assert any(each.startswith("fairness: attributes in pairs") for each in judged.not_judged)


def test_rates_of_every_group_are_what_the_rows_say(
    table: pd.DataFrame, assessment: Assessment
) -> None:
    fairness = report_of(assessment)["fairness"]
    for attribute, groups in groups_by_hand(table).items():
        found = fairness[attribute]["groups"]
        assert set(found) == set(groups)
        best = max(rates_by_hand(rows)["selection_rate"] for rows in groups.values())
        for group, rows in groups.items():
            assert found[group]["rows"]["value"] == len(rows)
            assert found[group]["small"] == (len(rows) < 100)
            for rate, value in rates_by_hand(rows).items():
                assert found[group][rate]["value"] == pytest.approx(value, rel=1e-9)
            expected = rates_by_hand(rows)["selection_rate"] / best
            assert found[group]["impact_ratio"]["value"] == pytest.approx(expected, rel=1e-9)


def test_disparities_are_those_of_the_rates(table: pd.DataFrame, assessment: Assessment) -> None:
    fairness = report_of(assessment)["fairness"]
    for attribute, groups in groups_by_hand(table).items():
        rates = [rates_by_hand(rows) for rows in groups.values()]
        columns = {name: [each[name] for each in rates] for name in rates[0]}
        spread = {name: max(values) - min(values) for name, values in columns.items()}
        ratio = {name: min(values) / max(values) for name, values in columns.items()}
        odds = ("true_positive_rate", "false_positive_rate")
        expected = {
            "demographic_parity_difference": spread["selection_rate"],
            "demographic_parity_ratio": ratio["selection_rate"],
            "equalized_odds_difference": max(spread[each] for each in odds),
            "equalized_odds_ratio": min(ratio[each] for each in odds),
            "accuracy_difference": spread["accuracy"],
        }
        for name, value in expected.items():
            assert fairness[attribute][name]["value"] == pytest.approx(value, rel=1e-9)


def test_disparities_are_those_of_fairlearn_on_the_rows_themselves(
    table: pd.DataFrame, assessment: Assessment
) -> None:
    found = report_of(assessment)["fairness"]["sex"]
    truth, predicted = (table[name] == "good" for name in ("truth", "predicted"))
    for function in (
        demographic_parity_difference,
        demographic_parity_ratio,
        equalized_odds_difference,
        equalized_odds_ratio,
    ):
        value = function(truth, predicted, sensitive_features=table["sex"])
        assert found[function.__name__]["value"] == pytest.approx(value, rel=1e-9)


def test_every_figure_has_its_n_interval_definition_and_source(assessment: Assessment) -> None:
    figures = list(walk(report_of(assessment)))
    assert len(figures) > 60
    for path, figure in figures:
        assert set(figure) >= {"value", "interval", "n", "definition", "source"}, path
        assert len(figure["definition"]) > 20
        assert figure["source"]
        if figure["interval"] is None:
            assert "No interval" in figure["definition"] or figure.get("note"), path
        else:
            low, high = figure["interval"]
            assert low <= figure["value"] <= high, path


def walk(part: Any, path: str = "") -> Any:
    if isinstance(part, dict) and "definition" in part:
        yield path, part
    elif isinstance(part, dict):
        for name, each in part.items():
            yield from walk(each, f"{path}.{name}")


def test_group_intervals_are_about_those_of_the_binomial_law(assessment: Assessment) -> None:
    male = report_of(assessment)["fairness"]["sex"]["groups"]["male"]["selection_rate"]
    low, high = male["interval"]
    error = math.sqrt(male["value"] * (1 - male["value"]) / male["n"])
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_the_same_data_gives_the_same_bytes_whatever_the_order_of_its_rows(
    table: pd.DataFrame, assessment: Assessment, tmp_path: Path
) -> None:
    shuffled = table.sample(frac=1, random_state=1)
    assert assessed(tmp_path, table, SETTINGS).report_json == assessment.report_json
    assert assessed(tmp_path, shuffled, SETTINGS).report_json == assessment.report_json


def test_parquet_gives_what_csv_gives(
    table: pd.DataFrame, assessment: Assessment, tmp_path: Path
) -> None:
    typed = table.astype({"sex": "category", "truth": "category"})
    other = assessed(tmp_path, typed, SETTINGS, parquet=True)
    assert other.report_json == assessment.report_json


def test_latency_by_group_is_what_numpy_says(table: pd.DataFrame, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    slow = np.where(table["sex"] == "female", 1.5, 1.0)
    table["ms"] = chance.lognormal(3, 0.3, len(table)) * slow
    found = report_of(assessed(tmp_path, table, SETTINGS + "latency: ms\n"))["latency"]["sex"]
    means = {}
    for sex, rows in table.groupby("sex"):
        figures, values = found["groups"][sex], rows["ms"].to_numpy()
        means[sex] = values.mean()
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert figures["latency_mean_ms"]["value"] == pytest.approx(values.mean(), rel=1e-9)
        low, high = figures["latency_mean_ms"]["interval"]
        assert (high - low) / 2 == pytest.approx(1.97 * error, rel=0.01)
        ordered = np.sort(values)
        nearest = ordered[math.ceil(0.95 * len(values)) - 1]
        assert figures["latency_p95_ms"]["value"] == pytest.approx(nearest, rel=0.005)
        low, high = figures["latency_p95_ms"]["interval"]
        assert low < nearest < high
    table.loc[0, "sex"] = "a single one"
    alone = report_of(assessed(tmp_path, table, SETTINGS + "latency: ms\n"))["latency"]["sex"]
    assert "no interval" in alone["groups"]["a single one"]["latency_mean_ms"]["note"]
    ratio = found["latency_ratio"]
    assert ratio["value"] == pytest.approx(min(means.values()) / max(means.values()))
    assert ratio["interval"][0] < 1 / 1.5 < ratio["interval"][1] < 0.8
