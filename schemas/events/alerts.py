"""Facts about alerts: when one began, was raised, went on, ended, was seen to or silenced."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.events.rules import Severity
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version


class AlertKind(StrEnum):
    """What an alert is about."""

    UNKNOWN = "UNKNOWN"
    THRESHOLD = "THRESHOLD"
    NO_DATA = "NO_DATA"
    DRIFT = "DRIFT"
    CHANGE_POINT = "CHANGE_POINT"


class ResolveReason(StrEnum):
    """Why an alert is no longer open."""

    UNKNOWN = "UNKNOWN"
    RECOVERED = "RECOVERED"
    CLEARED_WHILE_PENDING = "CLEARED_WHILE_PENDING"
    DATA_RETURNED = "DATA_RETURNED"
    RULE_REMOVED = "RULE_REMOVED"


@dataclass(frozen=True, slots=True)
class AlertState(Fact):
    """What every step of an alert says; `occurred_at` and `opened_at` are event time."""

    occurred_at: Micros
    alert_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    arm: str
    kind: AlertKind
    rule: str
    subject: str
    metric: str
    statistic: str
    window: str
    severity: Severity
    opened_at: Micros
    value: float
    threshold: float
    samples: int
    summary: str


@dataclass(frozen=True, slots=True)
class AlertPending(AlertState):
    """A breach has begun that must last for a while before the alert is raised."""

    record: ClassVar[str] = "modeltrail.alerts.AlertPending"


@dataclass(frozen=True, slots=True)
class AlertRaised(AlertState):
    """An alert is open from now on."""

    record: ClassVar[str] = "modeltrail.alerts.AlertRaised"


@dataclass(frozen=True, slots=True)
class AlertUpdated(AlertState):
    """An open alert goes on, with its newest value."""

    record: ClassVar[str] = "modeltrail.alerts.AlertUpdated"


@dataclass(frozen=True, slots=True)
class AlertResolved(AlertState):
    """A pending or open alert is over."""

    record: ClassVar[str] = "modeltrail.alerts.AlertResolved"

    reason: ResolveReason


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Fact):
    """Somebody looks after an alert."""

    record: ClassVar[str] = "modeltrail.alerts.AlertAcknowledged"

    occurred_at: Micros
    alert_id: EventId
    model_id: ModelId
    acknowledged_by: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AlertSilenced(Fact):
    """Matching alerts are not delivered for a while; an empty rule or subject matches any."""

    record: ClassVar[str] = "modeltrail.alerts.AlertSilenced"

    occurred_at: Micros
    model_id: ModelId
    starts_at: Micros
    ends_at: Micros
    silenced_by: str
    rule: str = ""
    subject: str = ""
    comment: str = ""
