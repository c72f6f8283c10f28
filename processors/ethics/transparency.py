"""Reports what is documented and explainable of a version, and scores it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from modeltrail.processors.ethics.documentation import ModelRecord, documented
from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.importance import importance_of
from modeltrail.processors.ethics.occlusion import occlusion_of
from modeltrail.processors.ethics.passing import DataPass
from modeltrail.processors.ethics.scoring import TabularModel, open_session
from modeltrail.schemas.assessment_settings import AssessmentSettings

_FEWEST_ROWS = 20


@dataclass(slots=True)
class Transparency:
    """What transparency came to; `maps` are PNGs by name."""

    report: dict[str, Any] = field(default_factory=dict)
    not_judged: list[str] = field(default_factory=list)
    maps: dict[str, bytes] = field(default_factory=dict)


def transparency_of(
    settings: AssessmentSettings,
    passed: DataPass,
    model: TabularModel | None,
    model_path: Path | None,
    record: ModelRecord,
    chance: np.random.Generator,
) -> Transparency:
    """Documentation, explanation and the score of both.

    The score is the share of items that are met: each item of documentation is one, that the model
    is explained is one, that its groups are judged is one.

    Raises:
        Refused: the model fails, or a row holds no image.
    """
    found = Transparency()
    if model is not None:
        _explain_columns(settings, passed, model, chance, found)
    if settings.explain.image:
        _explain_images(settings, passed, model_path, found)
    explained = "importance" in found.report or "occlusion" in found.report
    if not explained:
        found.not_judged.append(
            "transparency: nothing explains the model: let it be run on the data, or give images"
        )
    items = documented(record)
    items["explained"] = explained
    items["groups_are_judged"] = bool(settings.sensitive) and passed.tally.judged > 0
    met = sum(items.values())
    found.report["score"] = Figure("transparency_score", met / len(items), len(items))
    found.report["items"] = {
        name: Figure("transparency_item", int(is_met), 1) for name, is_met in items.items()
    }
    return found


def _explain_columns(
    settings: AssessmentSettings,
    passed: DataPass,
    model: TabularModel,
    chance: np.random.Generator,
    found: Transparency,
) -> None:
    rows = len(passed.sample.truth)
    if rows < _FEWEST_ROWS:
        found.not_judged.append(
            f"transparency.importance: {rows} rows have all inputs, {_FEWEST_ROWS} are needed"
        )
        return
    importance = importance_of(
        model, passed.sample, settings.explain, settings.intervals.confidence, chance
    )
    found.report["importance"] = importance
    sensitive = {name: importance[name] for name in settings.sensitive if name in importance}
    if sensitive:
        found.report["sensitive_importance"] = sensitive


def _explain_images(
    settings: AssessmentSettings, passed: DataPass, model_path: Path | None, found: Transparency
) -> None:
    if model_path is None or not passed.images:
        what = "the model's file" if model_path is None else "an image"
        found.not_judged.append(f"transparency.occlusion: {what} is missing")
        return
    session = open_session(model_path)
    maps: dict[str, Any] = {}
    for number, encoded in enumerate(passed.images, start=1):
        name = f"image_{number}"
        occlusion = occlusion_of(session, encoded, settings.explain)
        found.maps[name] = occlusion.png
        row, column = np.unravel_index(int(occlusion.drops.argmax()), occlusion.drops.shape)
        patches = int(occlusion.drops.size)
        maps[name] = {
            "drop": Figure("occlusion_drop", float(occlusion.drops.max()), patches),
            "score": occlusion.score,
            "patch": {"row": int(row), "column": int(column)},
            "grid": {"rows": occlusion.drops.shape[0], "columns": occlusion.drops.shape[1]},
        }
    found.report["occlusion"] = maps
