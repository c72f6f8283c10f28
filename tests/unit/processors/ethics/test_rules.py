"""Rules are data, and every recommendation cites a number that is in the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.judgement import load_rules, recommendations_of, risk_of
from tests.assessed import assessed, cited, report_of

SEED_ADVICE = {
    "BIAS_ABOVE_0_1": "Consider retraining with more diverse data to reduce bias.",
    "PRIVACY_RISK_HIGH": "Implement additional privacy protection measures.",
    "FAIRNESS_BELOW_0_8": "Review the model for fairness across demographic groups.",
}
SETTINGS = """
outcome: {truth: truth, prediction: predicted}
sensitive: ["who. where?", age]
cuts: {age: [40]}
privacy: {quasi_identifiers: [age, "who. where?"]}
"""


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(6)
    rows = 500
    who = chance.choice(["a.b", "c~d"], rows)
    truth = chance.integers(0, 2, rows)
    predicted = np.where((who == "a.b") & (chance.random(rows) < 0.6), 0, truth)
    age = chance.normal(40, 20, rows)
    return pd.DataFrame({"who. where?": who, "age": age, "truth": truth, "predicted": predicted})


def test_every_recommendation_cites_its_number_and_its_limit(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table["exact"] = table["age"]
    settings = SETTINGS.replace('[age, "who. where?"]', "[exact]")
    judged = assessed(tmp_path, table, settings)
    report = report_of(judged)
    assert {each.rule for each in judged.recommendations} >= set(SEED_ADVICE)
    thresholds = {rule.name: rule.test for rule in load_rules({}).recommendations}
    for each in judged.recommendations:
        assert cited(report, each.cites) == each.value, each
        assert each.threshold == thresholds[each.rule].threshold
        beyond = each.value - each.threshold
        assert beyond > 0 if thresholds[each.rule].above else beyond < 0
        assert SEED_ADVICE.get(each.rule, each.text) == each.text


def test_a_policy_moves_a_threshold(table: pd.DataFrame, tmp_path: Path) -> None:
    strict = assessed(tmp_path, table, SETTINGS + "policy: {BIAS_ABOVE_0_1: 0.9}\n")
    assert "BIAS_ABOVE_0_1" not in {each.rule for each in strict.recommendations}


def test_every_rule_and_level_has_a_figure_that_a_report_may_hold() -> None:
    """A path with a slip of the pen would never fire."""
    rules = load_rules({})
    paths = [rule.path for rule in rules.recommendations]
    paths += [level.path for levels in rules.levels.values() for level in levels]
    for path in paths:
        for value in (-1e9, 1e9):
            report = nested(path.replace("*", "any").split("."), Figure("rows", value, 1))
            fired = [
                *recommendations_of(report, rules.recommendations),
                *(level for area in rules.levels.values() for level in risk_of(report, area)[1]),
            ]
            if fired:
                break
        else:
            pytest.fail(f"nothing fires on {path}")
    assert {path.split(".")[-1] for path in paths if "*" not in path} <= {
        "score", "risk", "overall_fairness", "left_out_share", "k_anonymity", "uniqueness", "auc",
        "reidentification_rate",
    }  # fmt: skip


def nested(names: list[str], figure: Figure) -> dict[str, object]:
    tree: object = figure
    for name in reversed(names):
        tree = {name: tree}
    assert isinstance(tree, dict)
    return tree


@pytest.mark.parametrize(
    ("low", "value", "high", "risk"),
    [
        (0.85, 0.9, 0.95, "LOW"),
        (0.75, 0.82, 0.9, "MEDIUM"),
        (0.75, 0.78, 0.9, "MEDIUM"),
        (0.6, 0.7, 0.79, "HIGH"),
    ],
)
def test_a_risk_is_high_when_even_the_better_end_is_beyond_the_gate(
    low: float, value: float, high: float, risk: str
) -> None:
    figure = Figure("demographic_parity_ratio", value, 100, low, high)
    report = {"fairness": {"sex": {"demographic_parity_ratio": figure}}}
    assert risk_of(report, load_rules({}).levels["bias"])[0] == risk
    assert risk_of({}, load_rules({}).levels["bias"])[0] == "NOT_JUDGED"
