"""A million rows are assessed in bounded memory: what is kept does not grow with them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modeltrail.infra.confined import run_confined
from modeltrail.processors.ethics.assessor import LIMITS
from modeltrail.schemas.assessment_settings import assessment_json, assessment_settings

SETTINGS = """
outcome: {truth: truth, prediction: predicted}
sensitive: [sex, age]
cuts: {age: [25, 40, 60]}
latency: ms
privacy: {quasi_identifiers: [sex, age, town], member: member, loss: loss}
"""
ENTRY = "modeltrail.processors.ethics.confined_assessment:assess_confined"
NOTHING: dict[str, object] = {"metadata": {}, "lineage": {}, "inputs": [], "outputs": []}
#: Beside the rows' hashes and losses, 17 bytes each, all of it is libraries and one batch.
MOST_MB = 600
ROWS = 1_000_000


def peak_mb(rows: int, folder: Path, *, parquet: bool) -> tuple[float, dict[str, object]]:
    """The largest resident memory of an assessment, and what it told."""
    chance = np.random.default_rng(rows)
    truth = chance.integers(0, 2, rows)
    table = pd.DataFrame(
        {
            "sex": chance.choice(["female", "male"], rows),
            "age": chance.integers(18, 90, rows),
            "truth": truth,
            "predicted": np.where(chance.random(rows) < 0.2, 1 - truth, truth),
            "ms": chance.lognormal(3, 0.5, rows).round(3),
            "town": chance.integers(10_000, 99_999, rows),
            "member": chance.integers(0, 2, rows),
            "loss": chance.exponential(size=rows).round(6),
        }
    )
    path = folder / "data"
    if parquet:
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    request = {
        "settings": assessment_json(assessment_settings(SETTINGS)),
        "data": str(path),
        "model": "",
        "record": NOTHING,
        "bounds": {"most_bytes": 2**31, "most_rows": 10_000_000},
    }
    ending = run_confined(ENTRY, request, replace(LIMITS, wall_s=100.0))
    (told,) = ending.told
    return ending.peak_memory_mb, told["assessed"]


@pytest.mark.prove
@pytest.mark.parametrize("parquet", [False, True], ids=["csv", "parquet"])
def test_a_million_rows_take_little_more_memory_than_ten_thousand(
    parquet: bool, tmp_path: Path
) -> None:
    few, _ = peak_mb(10_000, tmp_path, parquet=parquet)
    many, assessed = peak_mb(ROWS, tmp_path, parquet=parquet)
    assert assessed["rows"] == ROWS
    report = json.loads(str(assessed["report_json"]))
    accuracy = report["fairness"]["sex"]["groups"]["male"]["accuracy"]
    assert accuracy["interval"][1] - accuracy["interval"][0] < 0.003
    print(f"{few:.0f} MiB for 10,000 rows, {many:.0f} MiB for {ROWS:,}")
    assert many < MOST_MB
    assert many - few < 250
