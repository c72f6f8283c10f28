"""Facts about how fair, private and transparent a model is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version


@dataclass(frozen=True, slots=True)
class AssessmentRequested(Fact):
    """Somebody asks how fair, private and transparent a version is."""

    record: ClassVar[str] = "modeltrail.ethics.AssessmentRequested"

    occurred_at: Micros
    model_id: ModelId
    version: Version
    data_uri: str
    data_sha256: Sha256
    data_size: int
    settings_json: str
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a rule advises, with the number that fired it."""

    rule: str
    text: str
    cites: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class EthicsAssessed(Fact):
    """How fair, private and transparent a version is, on stated data."""

    record: ClassVar[str] = "modeltrail.ethics.EthicsAssessed"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    version: Version
    data_sha256: Sha256
    rows: int
    bias_risk: str
    privacy_risk: str
    transparency_score: float
    report_json: str
    recommendations: tuple[Recommendation, ...] = ()
    not_judged: tuple[str, ...] = ()


class AssessmentRefusal(StrEnum):
    """Why an assessment is refused."""

    UNKNOWN = "UNKNOWN"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    INVALID_SETTINGS = "INVALID_SETTINGS"
    DATA_MISSING = "DATA_MISSING"
    DATA_UNREADABLE = "DATA_UNREADABLE"
    MISSING_COLUMNS = "MISSING_COLUMNS"
    TOO_FEW_ROWS = "TOO_FEW_ROWS"
    ONE_GROUP = "ONE_GROUP"
    ONE_CLASS = "ONE_CLASS"
    TOO_LARGE = "TOO_LARGE"
    MODEL_FAILED = "MODEL_FAILED"
    OUT_OF_LIMITS = "OUT_OF_LIMITS"


@dataclass(frozen=True, slots=True)
class AssessmentRefused(Fact):
    """An assessment could not be made, and why."""

    record: ClassVar[str] = "modeltrail.ethics.AssessmentRefused"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    version: Version
    reason: AssessmentRefusal
    detail: str
