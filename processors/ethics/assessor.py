"""Runs an assessment in a confined process, and says what became of it, whatever that was."""

import base64
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modeltrail.infra.confined import Ending, Limits, Struck, run_confined
from modeltrail.processors.ethics.assessment import Assessment, Bounds
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.events import AssessmentRefusal, Recommendation

_ENTRY = "modeltrail.processors.ethics.confined_assessment:assess_confined"
_MIB = 1024 * 1024
#: A report, and a few maps of some hundred kilobytes each.
LIMITS = Limits(wall_s=900.0, cpu_s=900.0, memory_mb=3072, answer_bytes=16 * _MIB, niceness=10)


def assess_in_confinement(
    settings_json: str,
    data: Path,
    model: Path | None,
    record: ModelRecord,
    stop: threading.Event | None = None,
    *,
    limits: Limits = LIMITS,
    bounds: Bounds = Bounds(),  # noqa: B008 (frozen)
) -> Assessment:
    """Assess a version on a file of evaluation data, whatever the file and the model do.

    Args:
        settings_json: checked already.
        data: CSV or Parquet.
        model: the ONNX file, where it is needed.
        record: what the registry has of the version.
        stop: ends it early.
        limits: what the process may use.
        bounds: of the data.

    Raises:
        Refused: nothing can be judged, or a limit ended it.
        Interrupted: `stop` was set.
    """
    request = {
        "settings": settings_json,
        "data": str(data.absolute()),
        "model": str(model.absolute()) if model else "",
        "record": asdict(record),
        "bounds": asdict(bounds),
    }
    return _outcome(run_confined(_ENTRY, request, limits, stop), limits)


def _outcome(ending: Ending, limits: Limits) -> Assessment:
    for told in ending.told:
        if "refused" in told:
            raise Refused(AssessmentRefusal(told["refused"]), str(told["detail"]))
        if "assessed" in told:
            return _assessment(dict(told["assessed"]))
    if ending.struck is not Struck.NONE:
        allowed = getattr(limits, ending.struck.value)
        raise Refused(
            AssessmentRefusal.OUT_OF_LIMITS,
            f"the limit {ending.struck.value} of {allowed:g} ended it after {ending.wall_s:.0f} s: "
            "draw a random sample of the rows, or assess with fewer columns",
        )
    raise Refused(
        AssessmentRefusal.OUT_OF_LIMITS,
        f"the process did not come to its end ({ending.failure[:500] or 'it told nothing'}): "
        "look at the model and the data, then ask again",
    )


def _assessment(told: dict[str, Any]) -> Assessment:
    return Assessment(
        rows=told["rows"],
        bias_risk=told["bias_risk"],
        privacy_risk=told["privacy_risk"],
        transparency_score=told["transparency_score"],
        report_json=told["report_json"],
        recommendations=tuple(Recommendation(**each) for each in told["recommendations"]),
        not_judged=tuple(told["not_judged"]),
        maps={name: base64.b64decode(png) for name, png in told["maps"].items()},
    )
