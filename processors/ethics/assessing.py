"""Makes an assessment from a file: reads it once, judges what was counted, writes the report."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from modeltrail.processors.ethics.assessment import Assessment, Bounds, canonical
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.equity import equity_of
from modeltrail.processors.ethics.figures import Figure, rounded
from modeltrail.processors.ethics.importance import Sample
from modeltrail.processors.ethics.judgement import (
    LEVELS,
    Rules,
    load_rules,
    recommendations_of,
    risk_of,
)
from modeltrail.processors.ethics.passing import DataPass
from modeltrail.processors.ethics.reading import Data
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.processors.ethics.scoring import TabularModel, open_session
from modeltrail.processors.ethics.tallying import Tally
from modeltrail.processors.ethics.transparency import transparency_of
from modeltrail.schemas.assessment_settings import AssessmentSettings, columns_of
from modeltrail.schemas.events import AssessmentRefusal

FEWEST_ROWS = 20
# Each use of chance has its own, so that one more resample here changes no number there.
_SAMPLING, _RESAMPLING, _PERMUTING = range(3)


def assess(
    settings: AssessmentSettings,
    data_path: Path,
    model_path: Path | None,
    record: ModelRecord,
    bounds: Bounds = Bounds(),  # noqa: B008 (frozen)
) -> Assessment:
    """Assess a version on a file of evaluation data; the same arguments give the same report.

    Args:
        settings: which columns are what.
        data_path: CSV or Parquet.
        model_path: the ONNX file; None: nothing that needs it is judged.
        record: what the registry has of the version.
        bounds: of the data.

    Raises:
        Refused: nothing can be judged, and why.
    """
    rules = _rules(settings)
    data = Data(data_path, bounds)
    data.require(columns_of(settings))
    model = _model(settings, model_path)
    sample = Sample(settings.explain.importance_rows, _chance(settings, _SAMPLING))
    passed = DataPass(settings, model, sample)
    names = tuple(dict.fromkeys((*columns_of(settings), *(model.columns if model else ()))))
    data.require(names)
    for batch in data.batches(names or data.columns[:1]):
        passed.add(dict(zip(batch.schema.names, batch.columns, strict=True)))
    if passed.tally.rows < FEWEST_ROWS:
        raise Refused(
            AssessmentRefusal.TOO_FEW_ROWS,
            f"the data has {passed.tally.rows} rows, {FEWEST_ROWS} are needed to say anything: "
            "give more",
        )
    return _judged(settings, rules, passed, model, model_path, record)


def _judged(
    settings: AssessmentSettings,
    rules: Rules,
    passed: DataPass,
    model: TabularModel | None,
    model_path: Path | None,
    record: ModelRecord,
) -> Assessment:
    equity = equity_of(settings, passed, _chance(settings, _RESAMPLING))
    privacy, privacy_not_judged = passed.privacy.report(settings.intervals.confidence)
    transparency = transparency_of(
        settings, passed, model, model_path, record, _chance(settings, _PERMUTING)
    )
    report: dict[str, Any] = {
        "data": _data_report(settings, passed.tally),
        **equity.report,
        **({"privacy": privacy} if privacy else {}),
        "transparency": transparency.report,
        "settings": asdict(settings),
    }
    risks = {area: _add_risk(report, area, rules, passed.tally.rows) for area in rules.levels}
    score = rounded(transparency.report["score"].value)
    assert score is not None
    return Assessment(
        rows=passed.tally.rows,
        bias_risk=risks["bias"],
        privacy_risk=risks["privacy"],
        transparency_score=score,
        report_json=canonical(report),
        recommendations=recommendations_of(report, rules.recommendations),
        not_judged=(
            *_unread(passed.tally),
            *equity.not_judged,
            *privacy_not_judged,
            *transparency.not_judged,
        ),
        maps=transparency.maps,
    )


def _add_risk(report: dict[str, Any], area: str, rules: Rules, rows: int) -> str:
    risk, reasons = risk_of(report, rules.levels[area])
    if risk in LEVELS:
        part = report.setdefault(area, {})
        part["risk"] = Figure("risk_level", LEVELS.index(risk), rows, note=risk)
        part["risk_reasons"] = reasons
    return risk


def _data_report(settings: AssessmentSettings, tally: Tally) -> dict[str, Any]:
    counts_rows = settings.outcome or (settings.detection and settings.detection.missed)
    left_out = tally.rows - tally.judged if counts_rows else 0
    return {
        "rows": Figure("rows", tally.rows, tally.rows),
        "left_out_share": Figure("left_out", left_out / tally.rows, tally.rows),
        "left_out": dict(sorted(tally.left_out.items())),
    }


def _unread(tally: Tally) -> list[str]:
    """What of the rows could not be used."""
    return [
        *(
            f"fairness: {rows:,} of {tally.rows:,} rows, as {why}"
            for why, rows in sorted(tally.left_out.items())
        ),
        *(
            f"{column}: {rows:,} of {tally.rows:,} rows, as there is no number from 0 to 4e12"
            for column, rows in sorted(tally.unusual.items())
        ),
    ]


def _rules(settings: AssessmentSettings) -> Rules:
    try:
        return load_rules(settings.policy)
    except KeyError as error:
        raise Refused(AssessmentRefusal.INVALID_SETTINGS, str(error.args[0])) from error


def _model(settings: AssessmentSettings, path: Path | None) -> TabularModel | None:
    if settings.model is None or settings.outcome is None:
        return None
    if path is None:
        raise Refused(
            AssessmentRefusal.MODEL_FAILED, "the model's file is not there: register it again"
        )
    return TabularModel(open_session(path), settings.model, settings.outcome)


def _chance(settings: AssessmentSettings, use: int) -> np.random.Generator:
    return np.random.default_rng([settings.intervals.seed, use])
