"""Answers what an assessment looks at: people write YAML, facts carry canonical JSON.

    outcome: {truth: risk, prediction: predicted, positive: good}
    sensitive: [sex, age]
    cuts: {age: [25, 40, 60]}
    latency: latency_ms
    privacy: {quasi_identifiers: [sex, age, housing]}
    policy: {RATIO_BELOW_0_8: 0.9}

What is left out is not judged, and the assessment says so.
"""

import json
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.ids import check_id
from modeltrail.schemas.policy_kinds import (
    BAD,
    Kind,
    list_of,
    mapping_of,
    number,
    optional,
    section,
    setting,
    text,
    truth,
    whole,
)
from modeltrail.schemas.yaml_places import NotYaml, Place, Reader, root_of

__all__ = [
    "AssessmentSettings",
    "AssessmentSettingsInvalid",
    "DetectionColumns",
    "ExplainSettings",
    "IntervalSettings",
    "ModelScoring",
    "OutcomeColumns",
    "PrivacyColumns",
    "assessment_json",
    "assessment_settings",
    "columns_of",
]

MOST_SENSITIVE = 4
_LONGEST_LABEL = 200


class AssessmentSettingsInvalid(ModeltrailError, ValueError):
    """The settings cannot be used: each line of the message says where, why and what to do."""


def _check_optional(name: str) -> None:
    if name:
        check_id("column", name)


_COLUMN = text(_check_optional, maxLength=1000)
_COLUMNS = list_of(text(lambda name: check_id("column", name), minLength=1), 0, 2_000)


def _label(reader: Reader, place: Place) -> Any:
    value = place.scalar()
    if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_LABEL:
        return str(value)
    reader.complain(place, f"is {str(value)[:40]}: give one label, as it stands in the data")
    return BAD


_LABEL = Kind(_label, {"type": ["string", "number", "boolean"]})
_FINITE = number(-1e300, 1e300)


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """A decision about each row: what was true, and what was predicted."""

    truth: str = setting("", _COLUMN, "column of the true label")
    prediction: str = setting("", _COLUMN, "column of the predicted label")
    score: str = setting("", _COLUMN, "column of a score, where there is no prediction")
    threshold: float = setting(0.5, _FINITE, "scores from here on are positive predictions")
    positive: str = setting("1", _LABEL, "label of the favourable outcome; others are not")


@dataclass(frozen=True, slots=True)
class DetectionColumns:
    """What a detector or masker did in each frame, or to each face."""

    faces: str = setting("", _COLUMN, "column of how many faces there are; empty: one a row")
    missed: str = setting("", _COLUMN, "column of how many of them were missed")
    coverage: str = setting("", _COLUMN, "column of the masked share of the faces' area, 0 to 1")


@dataclass(frozen=True, slots=True)
class ModelScoring:
    """Predictions come from the registered model itself, which is run on columns of the data."""

    inputs: tuple[str, ...] = setting(
        (), _COLUMNS, "columns of the one input, in order; empty: inputs are named like columns"
    )
    output: str = setting("", _COLUMN, "output that holds labels or scores; empty: the first")


@dataclass(frozen=True, slots=True)
class PrivacyColumns:
    """What tells how private the people in the data are."""

    quasi_identifiers: tuple[str, ...] = setting((), _COLUMNS, "columns that others may know")
    member: str = setting("", _COLUMN, "column that is 1 where a row was trained on")
    loss: str = setting("", _COLUMN, "column of the model's loss: lower for members, if it leaks")
    confidence: str = setting("", _COLUMN, "column of its confidence, where there is no loss")
    similarity: str = setting("", _COLUMN, "column of the similarity of a masked face to its own")
    cutoff: float = setting(0.5, _FINITE, "similarities from here on count as the same person")


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """What is explained of the model, which runs for it."""

    importance_rows: int = setting(1_000, whole(20, 10_000), "rows that importance is measured on")
    repeats: int = setting(10, whole(2, 100), "permutations of each column")
    image: str = setting("", _COLUMN, "column of PNG or JPEG bytes, in Parquet")
    images: int = setting(2, whole(1, 8), "images that get an occlusion map")
    patches: int = setting(8, whole(2, 32), "patches along the longer side of an image")
    scale: float = setting(1.0, number(1e-6, 1e6), "what pixels of 0 to 255 are multiplied by")
    channels_last: bool = setting(False, truth(), "the model takes height, width, channels")


@dataclass(frozen=True, slots=True)
class IntervalSettings:
    """How intervals are made."""

    confidence: float = setting(0.95, number(0.5, 0.999), "confidence of every interval")
    resamples: int = setting(1_000, whole(200, 10_000), "resamples of a bootstrap")
    seed: int = setting(0, whole(0, 2**31), "what chance begins with, beside the data")
    smallest_group: int = setting(100, whole(2, 1_000_000), "groups with fewer rows are flagged")


@dataclass(frozen=True, slots=True)
class AssessmentSettings:
    """What an assessment looks at."""

    outcome: OutcomeColumns | None = setting(
        None, optional(section(OutcomeColumns)), "decisions; null: none"
    )
    detection: DetectionColumns | None = setting(
        None, optional(section(DetectionColumns)), "detections; null: none"
    )
    model: ModelScoring | None = setting(
        None, optional(section(ModelScoring)), "run the model; null: predictions are in the data"
    )
    sensitive: tuple[str, ...] = setting(
        (),
        list_of(text(lambda name: check_id("column", name), minLength=1), 0, MOST_SENSITIVE),
        "columns of consented group labels",
    )
    cuts: dict[str, tuple[float, ...]] = setting(
        {}, mapping_of(list_of(_FINITE, 1, 50), 50), "rising edges that cut a column of numbers"
    )
    unit: str = setting(
        "", _COLUMN, "column of what is independent, such as the session; empty: each row is"
    )
    latency: str = setting("", _COLUMN, "column of the latency, ms")
    privacy: PrivacyColumns = field(
        default_factory=PrivacyColumns,
        metadata={"kind": section(PrivacyColumns), "doc": "privacy of the people in the data"},
    )
    explain: ExplainSettings = field(
        default_factory=ExplainSettings,
        metadata={"kind": section(ExplainSettings), "doc": "explanations"},
    )
    intervals: IntervalSettings = field(
        default_factory=IntervalSettings,
        metadata={"kind": section(IntervalSettings), "doc": "intervals"},
    )
    policy: dict[str, float] = setting(
        {}, mapping_of(_FINITE, 100), "thresholds of rules, by the name of the rule"
    )


def _problem(settings: AssessmentSettings) -> str | None:
    outcome, detection = settings.outcome, settings.detection
    for name, edges in settings.cuts.items():
        if any(left >= right for left, right in pairwise(edges)):
            return f"cuts of {name} do not rise: sort them"
    if outcome and detection:
        return "has outcome and detection: assess them apart"
    if outcome and not settings.model and bool(outcome.prediction) == bool(outcome.score):
        return "outcome needs either prediction or score, or a model that is run"
    if outcome and settings.model and (outcome.prediction or outcome.score):
        return "has a model to run and predictions: leave one out"
    if detection and not (detection.missed or detection.coverage):
        return "detection needs missed or coverage: name their columns"
    if settings.model and not outcome:
        return "has a model to run, but no outcome: name the column of the truth"
    if len(set(settings.sensitive)) < len(settings.sensitive):
        return "sensitive names a column twice: leave it out"
    privacy = settings.privacy
    if privacy.member and bool(privacy.loss) == bool(privacy.confidence):
        return "privacy.member needs either loss or confidence: name its column"
    return None


_SETTINGS = section(AssessmentSettings, _problem)


def assessment_settings(yaml_text: str) -> AssessmentSettings:
    """The settings that a person wrote, or a fact carries: JSON is YAML.

    Raises:
        AssessmentSettingsInvalid: everything that is wrong, with its line and the next step.
    """
    reader = Reader()
    try:
        root = root_of(yaml_text)
    except NotYaml as error:
        raise AssessmentSettingsInvalid(str(error)) from error
    except RecursionError as error:
        raise AssessmentSettingsInvalid("nested too deeply: write it as the example is") from error
    if root is None or root.is_null:
        return AssessmentSettings()
    read = _SETTINGS.read(reader, root)
    if reader.problems:
        raise AssessmentSettingsInvalid("\n".join(reader.problems))
    assert isinstance(read, AssessmentSettings)
    return read


def assessment_json(settings: AssessmentSettings) -> str:
    """The settings as canonical JSON: every default filled in, keys sorted, no spaces.

    Raises:
        AssessmentSettingsInvalid: made in code, they are none that could be read.
    """
    text_of_json = json.dumps(
        asdict(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assessment_settings(text_of_json)
    return text_of_json


def columns_of(settings: AssessmentSettings) -> tuple[str, ...]:
    """Every column that the settings name, each once, in a stated order."""
    named: list[Any] = [*settings.sensitive, settings.unit, settings.latency]
    if settings.outcome:
        named += [settings.outcome.truth, settings.outcome.prediction, settings.outcome.score]
    if settings.detection:
        named += [settings.detection.faces, settings.detection.missed, settings.detection.coverage]
    if settings.model:
        named += settings.model.inputs
    privacy = settings.privacy
    named += [*privacy.quasi_identifiers, privacy.member, privacy.loss, privacy.confidence]
    named += [privacy.similarity, settings.explain.image]
    return tuple(dict.fromkeys(name for name in named if name))
