"""Assesses small tables in this process, and finds figures in what comes of it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from modeltrail.processors.ethics.assessing import assess
from modeltrail.processors.ethics.assessment import Assessment, Bounds
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.schemas.assessment_settings import assessment_settings

NOTHING_WRITTEN = ModelRecord({}, {}, (), ())


def assessed(
    folder: Path,
    table: pd.DataFrame,
    settings: str,
    *,
    model: Path | None = None,
    record: ModelRecord = NOTHING_WRITTEN,
    parquet: bool = False,
    bounds: Bounds = Bounds(),  # noqa: B008 (frozen)
) -> Assessment:
    """The assessment of a table, by way of a file."""
    path = folder / ("data.parquet" if parquet else "data.csv")
    if parquet:
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    return assess(assessment_settings(settings), path, model, record, bounds)


def report_of(assessment: Assessment) -> dict[str, Any]:
    """Its report."""
    report: dict[str, Any] = json.loads(assessment.report_json)
    return report


def cited(report: Any, path: str) -> Any:
    """What a recommendation cites: names are escaped as in JSON Pointer, an end is a place."""
    for part in path.split("."):
        name = part.replace("~1", ".").replace("~0", "~")
        report = report[int(name)] if isinstance(report, list) else report[name]
    return report["value"] if isinstance(report, dict) else report
