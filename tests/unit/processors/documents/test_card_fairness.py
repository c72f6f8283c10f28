"""The fairness tables of a card tell what the assessment found, group by group."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from modeltrail.processors.documents.model_card import model_card
from modeltrail.processors.documents.rendering import html_of, markdown_of
from modeltrail.schemas.events import EthicsAssessed, ModelRegistered
from modeltrail.schemas.ids import Micros
from tests.assessed import assessed, report_of
from tests.unit.processors.documents.log import MODEL, START_US, VERSION, Log

SETTINGS = """
outcome: {truth: truth, prediction: predicted}
sensitive: [sex]
latency: ms
intervals: {confidence: 0.9, resamples: 200}
"""


def test_groups_stand_beside_each_other_with_their_intervals(tmp_path: Path) -> None:
    # Given an assessment of two groups, one of them small, at 90 %
    chance = np.random.default_rng(3)
    rows = 300
    table = pd.DataFrame(
        {
            "sex": np.where(np.arange(rows) % 5 == 0, "f", "m"),
            "truth": chance.integers(0, 2, rows),
            "predicted": chance.integers(0, 2, rows),
            "ms": chance.lognormal(3, 0.3, rows),
        }
    )
    report = report_of(assessed(tmp_path, table, SETTINGS))
    log = Log()
    log.add(ModelRegistered)
    log.add(EthicsAssessed, report_json=json.dumps(report))

    # When its card is made
    card = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))
    lines = card.parts["fairness"].splitlines()

    # Then each group is a row, in which rates stand with their intervals
    heads = next(line for line in lines if line.startswith("| Group | rows |")).split(" | ")
    row = next(line for line in lines if line.startswith("| f [[")).split(" | ")
    rate = report["fairness"]["sex"]["groups"]["f"]["selection_rate"]
    low, high = rate["interval"]
    cell = row[heads.index("selection\\_rate")]
    assert cell == f"{rate['value']:.4g} ({low:.4g} to {high:.4g})"
    assert row[heads.index("rows")] == "60"
    # And the rule of four fifths, small groups and the confidence are said
    verdict = report["fairness"]["sex"]["four_fifths_rule"]
    (title,) = (line for line in lines if line.startswith("**fairness by sex**, 90 % intervals"))
    assert f"the four-fifths rule: {verdict} [[" in title
    assert "too few rows: f [[" in title
    assert any(line.startswith("**latency by sex**") for line in lines)
    # And what compares the groups follows, with intervals that are called what they are
    assert any("| 90 % interval |" in line for line in lines)
    assert any(line.startswith("| fairness.sex.demographic\\_parity\\_ratio | ") for line in lines)
    assert "95 % interval" not in card.parts["fairness"] + card.parts["privacy"]
    assert "<td>60</td>" in html_of(card)


def test_a_card_says_where_its_occlusion_maps_lie() -> None:
    log = Log()
    log.add(ModelRegistered)
    drop = {"value": 0.4, "interval": None, "n": 64}
    maps = {"image_1": {"drop": drop, "png_uri": "s3://artifacts/ab/image_1.png"}}
    log.add(EthicsAssessed, report_json=json.dumps({"transparency": {"occlusion": maps}}))

    text = markdown_of(model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9)))

    assert "| image\\_1 | `s3://artifacts/ab/image_1.png` [[" in text
