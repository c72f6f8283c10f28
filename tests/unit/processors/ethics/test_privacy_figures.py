"""Every figure of privacy is what the rows say when they are counted one by one."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from modeltrail.processors.ethics.membership import Units, auc, membership_report
from tests.assessed import assessed, report_of

SETTINGS = """
privacy:
  quasi_identifiers: [sex, age, town]
  member: member
  loss: loss
  similarity: similarity
  cutoff: 0.6
cuts: {age: [30, 50]}
"""


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(5)
    rows = 500
    member = chance.integers(0, 2, rows)
    return pd.DataFrame(
        {
            "sex": chance.choice(["f", "m"], rows),
            "age": chance.integers(18, 80, rows),
            "town": [f"t{each}" for each in chance.zipf(1.6, rows)],
            "member": member,
            "loss": np.round(chance.exponential(1 - 0.4 * member), 2),
            "similarity": np.round(chance.beta(2, 8, rows), 3),
        }
    )


def test_k_and_uniqueness_are_those_of_the_counted_combinations(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    found = report_of(assessed(tmp_path, table, SETTINGS))["privacy"]["anonymity"]
    sizes = Counter(
        (row.sex, 0 if row.age < 30 else 1 if row.age < 50 else 2, row.town)
        for row in table.itertuples()
    )
    assert found["k_anonymity"]["value"] == min(sizes.values())
    alone = sum(1 for size in sizes.values() if size == 1)
    assert found["uniqueness"]["value"] == pytest.approx(alone / 500)
    few = sum(size for size in sizes.values() if size < 5)
    assert found["below_k5"]["value"] == pytest.approx(few / 500)


def test_the_attack_wins_as_often_as_in_all_pairs(table: pd.DataFrame, tmp_path: Path) -> None:
    found = report_of(assessed(tmp_path, table, SETTINGS))["privacy"]["membership"]
    members = table.loc[table["member"] == 1, "loss"].to_numpy()
    others = table.loc[table["member"] == 0, "loss"].to_numpy()
    won = np.mean([(a < b) + (a == b) / 2 for a, b in itertools.product(members, others)])
    assert found["auc"]["value"] == pytest.approx(won)
    assert won == pytest.approx(roc_auc_score(table["member"], -table["loss"]))
    limit = sorted(-others)[len(others) - 1 - len(others) // 100]
    caught = np.mean(-members > limit)
    assert found["tpr_at_1_percent"]["value"] == pytest.approx(caught)
    assert np.mean(-others > limit) <= 0.01


def test_delongs_variance_is_that_of_the_placements() -> None:
    chance = np.random.default_rng(0)
    members, others = chance.normal(0.5, 1, 40).round(1), chance.normal(0, 1, 50).round(1)
    above = [np.mean([(m > o) + (m == o) / 2 for o in others]) for m in members]
    below = [np.mean([(m > o) + (m == o) / 2 for m in members]) for o in others]
    value, variance = auc(members, others)
    assert value == pytest.approx(np.mean(above))
    expected = np.var(above, ddof=1) / 40 + np.var(below, ddof=1) / 50
    assert variance == pytest.approx(expected)


@pytest.mark.parametrize(("gap", "value"), [(10.0, 1.0), (-10.0, 0.0)])
def test_an_attack_that_always_wins_has_an_interval_all_the_same(gap: float, value: float) -> None:
    report, _ = membership_report(np.arange(50) / 50 + gap, np.arange(60) / 60, 0.95)
    assert report["auc"].value == value
    assert report["auc"].low <= value <= report["auc"].high
    assert report["auc"].high - report["auc"].low == pytest.approx(0.06)


def test_the_share_past_the_cut_off_has_wilsons_bound(table: pd.DataFrame, tmp_path: Path) -> None:
    found = report_of(assessed(tmp_path, table, SETTINGS))["privacy"]["identity"]
    hits = int((table["similarity"] >= 0.6).sum())
    figure = found["reidentification_rate"]
    assert figure["value"] == pytest.approx(hits / 500)
    # Wilson's ends are where the score test turns: |p - q| = z sqrt(q (1 - q) / n).
    for end in figure["interval"]:
        if end > 0:
            distance = abs(hits / 500 - end)
            assert distance == pytest.approx(1.959964 * (end * (1 - end) / 500) ** 0.5, rel=1e-5)


def test_levels_follow_from_the_rules_and_name_what_fired(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    risky = assessed(tmp_path, table, SETTINGS)
    assert risky.privacy_risk == "HIGH"
    reasons = report_of(risky)["privacy"]["risk_reasons"]
    assert any(each.startswith("HIGH: privacy.membership.auc") for each in reasons)
    table["town"], table["age"], table["similarity"] = "t1", 20, 0.1
    table["loss"] = table.groupby("member").cumcount() % 7
    calm = assessed(tmp_path, table, SETTINGS.replace("[sex, age, town]", "[sex, age]"))
    assert calm.privacy_risk == "LOW", report_of(calm)["privacy"]


def test_members_with_low_signals_leak_as_much(table: pd.DataFrame, tmp_path: Path) -> None:
    # Given losses by which members are told, and the same with the other sign
    turned = table.assign(loss=-table["loss"])
    as_it_is, other = (assessed(tmp_path, each, SETTINGS) for each in (table, turned))
    reasons = report_of(other)["privacy"]["risk_reasons"]
    auc_of = [
        report_of(each)["privacy"]["membership"]["auc"]["value"] for each in (as_it_is, other)
    ]
    assert auc_of[0] == pytest.approx(1 - auc_of[1])
    assert auc_of[1] < 0.4
    # Then the risk is the same, and the advice is to look at the sign
    assert any(each.startswith("HIGH: privacy.membership.auc") for each in reasons)
    assert other.privacy_risk == as_it_is.privacy_risk == "HIGH"
    assert "MEMBERSHIP_AUC_BELOW_0_4" in {each.rule for each in other.recommendations}


def test_nine_members_are_too_few_to_attack(table: pd.DataFrame, tmp_path: Path) -> None:
    table["member"] = [1] * 9 + [0] * 491
    judged = assessed(tmp_path, table, SETTINGS)
    assert "membership" not in report_of(judged)["privacy"]
    assert any("9 members and 491 others" in each for each in judged.not_judged)


def test_the_variance_of_rows_in_units_is_obuchowskis() -> None:
    # Given units with members, with others, and with both
    chance = np.random.default_rng(3)
    shift = chance.normal(0, 1, 30)
    of_members, of_others = chance.integers(0, 22, 90), chance.integers(12, 30, 80)
    members = (shift[of_members] + chance.normal(0.5, 1, 90)).round(1)
    others = (shift[of_others] + chance.normal(0, 1, 80)).round(1)
    above = np.array([np.mean([(m > o) + (m == o) / 2 for o in others]) for m in members])
    below = np.array([np.mean([(m > o) + (m == o) / 2 for m in members]) for o in others])
    value, variance = auc(members, others, Units(of_members, of_others))
    # Then it is what the sums over units say, taken one by one
    sums = [
        (sum(above[of_members == unit] - value), sum(below[of_others == unit] - value))
        for unit in range(30)
    ]
    m, n = len(set(of_members)), len(set(of_others))
    both = len({*of_members, *of_others})
    expected = (
        m / (m - 1) * sum(a * a for a, _ in sums) / 90**2
        + n / (n - 1) * sum(b * b for _, b in sums) / 80**2
        + 2 * both / (both - 1) * sum(a * b for a, b in sums) / (90 * 80)
    )
    assert variance == pytest.approx(expected)
    # And DeLong's where each row is a unit of its own
    alone = Units(np.arange(90), np.arange(90, 170))
    assert auc(members, others, alone)[1] == pytest.approx(auc(members, others)[1])


def test_intervals_of_an_attack_know_the_units_of_the_rows(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    # Given each row ten times, once as rows that are alone and once as those of a session
    table = table[["member", "loss"]].loc[table.index.repeat(10)]
    table["session"] = [f"s{row}" for row in table.index]
    settings = "privacy: {member: member, loss: loss}\n"
    alone, together = (
        report_of(assessed(tmp_path, table, text))["privacy"]["membership"]
        for text in (settings, settings + "unit: session\n")
    )
    once = table[~table.index.duplicated()]
    single = report_of(assessed(tmp_path, once, settings))["privacy"]["membership"]

    def width(found: dict[str, dict[str, list[float]]], name: str) -> float:
        low, high = found[name]["interval"]
        return high - low

    # Then the figures are the same, and as unsure as five hundred rows make them
    for name in ("auc", "tpr_at_1_percent"):
        assert together[name]["value"] == alone[name]["value"]
        assert width(together, name) == pytest.approx(width(single, name), rel=0.35)
        assert width(together, name) > 2 * width(alone, name)


def test_few_units_of_many_rows_have_no_interval(table: pd.DataFrame, tmp_path: Path) -> None:
    table["session"] = table["member"] * 100 + np.arange(500) % 9
    judged = assessed(tmp_path, table, SETTINGS + "unit: session\n")
    figure = report_of(judged)["privacy"]["membership"]["auc"]
    assert figure["interval"] is None
    assert "9 units of members and 9 of others" in figure["note"]
    assert any("9 units of members and 9 of others" in each for each in judged.not_judged)
