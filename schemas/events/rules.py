"""Facts about rules: which thresholds and drift policies hold, and which were refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId

#: The model id under which the defaults of all models are set.
ANY_MODEL = ModelId("*")


class Statistic(StrEnum):
    """What of a metric is compared; VALUE looks at each measurement, the others at a window.

    The PARITY ones compare the groups of a metric, `METRIC@GROUP`, with each other: least mean over
    greatest, or greatest less least.
    """

    UNKNOWN = "UNKNOWN"
    VALUE = "VALUE"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    P50 = "P50"
    P95 = "P95"
    P99 = "P99"
    SHARE = "SHARE"
    NO_DATA = "NO_DATA"
    PARITY_RATIO = "PARITY_RATIO"
    PARITY_DIFFERENCE = "PARITY_DIFFERENCE"


class Direction(StrEnum):
    """On which side of the threshold a value is a breach."""

    UNKNOWN = "UNKNOWN"
    ABOVE = "ABOVE"
    BELOW = "BELOW"


class Severity(StrEnum):
    """How much an alert matters."""

    UNKNOWN = "UNKNOWN"
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """One threshold; `for_s` in s, a null `resolve_threshold` is the threshold itself."""

    name: str
    metric: str
    statistic: Statistic
    window: str
    direction: Direction
    threshold: float
    severity: Severity
    resolve_threshold: float | None = None
    for_s: float = 0.0
    minimum_samples: int = 1
    environment: str = ""
    share_of: str = ""


@dataclass(frozen=True, slots=True)
class ThresholdsSet(Fact):
    """All threshold rules of a model from now on; `*` sets what models without the name have."""

    record: ClassVar[str] = "modeltrail.rules.ThresholdsSet"

    occurred_at: Micros
    model_id: ModelId
    rules: tuple[ThresholdRule, ...]
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class DriftPolicySet(Fact):
    """How drift of a model is judged from now on; no features mean all of its profile."""

    record: ClassVar[str] = "modeltrail.rules.DriftPolicySet"

    occurred_at: Micros
    model_id: ModelId
    severity: Severity
    enabled: bool = True
    window: str = "1m"
    psi_threshold: float = 0.2
    false_discovery_rate: float = 0.01
    minimum_effective_samples: int = 100
    persistence: int = 3
    features: tuple[str, ...] = ()
    change_point_metrics: tuple[str, ...] = ("accuracy", "error")
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class RuleRejected(Fact):
    """Rules that were appended are not in force, and why; those before them still are."""

    record: ClassVar[str] = "modeltrail.rules.RuleRejected"

    occurred_at: Micros
    model_id: ModelId
    rejected_id: EventId
    rule: str
    detail: str
