"""Makes facts about alerts for tests, and places them in a log of one partition."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertKind,
    AlertResolved,
    AlertSilenced,
    AlertState,
    Fact,
    ResolveReason,
    Severity,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version, derived_event_id, new_event_id

START_MS = 1_700_000_000_000
SECOND = 1_000_000
MODEL = ModelId("centerface")
SUBJECT = "v1.0.0/production/champion"

T = TypeVar("T", bound=AlertState)


def alert_id(name: str) -> EventId:
    return derived_event_id("test alert", name)


def step(kind: type[T], name: str = "a", **changes: Any) -> T:
    """A step of the alert `name`; each has an event id of its own."""
    values: dict[str, Any] = {
        "event_id": new_event_id(),
        "occurred_at": Micros(START_MS * 1000),
        "alert_id": alert_id(name),
        "model_id": MODEL,
        "version": Version("v1.0.0"),
        "environment": "production",
        "arm": "champion",
        "kind": AlertKind.THRESHOLD,
        "rule": "HIGH_LATENCY",
        "subject": SUBJECT,
        "metric": "latency_ms",
        "statistic": "P95",
        "window": "1m",
        "severity": Severity.CRITICAL,
        "opened_at": Micros(START_MS * 1000 - 60 * SECOND),
        "value": 71.25,
        "threshold": 50.0,
        "samples": 480,
        "summary": "latency_ms P95 was 71.25 over 1m",
        **changes,
    }
    if kind is AlertResolved:
        values.setdefault("reason", ResolveReason.RECOVERED)
    return kind(**values)


def acknowledged(name: str = "a", by: str = "ops") -> AlertAcknowledged:
    return AlertAcknowledged(new_event_id(), Micros(START_MS * 1000), alert_id(name), MODEL, by)


def silenced(
    from_s: float, to_s: float, rule: str = "", subject: str = "", model: str = MODEL
) -> AlertSilenced:
    """A silence between two times in s after `START_MS`."""
    return AlertSilenced(
        event_id=new_event_id(),
        occurred_at=Micros(START_MS * 1000),
        model_id=ModelId(model),
        starts_at=Micros(at_us(from_s)),
        ends_at=Micros(at_us(to_s)),
        silenced_by="ops",
        rule=rule,
        subject=subject,
    )


def at_us(seconds: float) -> int:
    return START_MS * 1000 + round(seconds * SECOND)


def log_of(facts: Iterable[tuple[float, Fact]]) -> Sequence[Appended]:
    """Records at offsets 0, 1, …; each fact comes with its time in s after `START_MS`."""
    return [
        Appended(0, offset, at_us(seconds) // 1000, _at(seconds, fact))
        for offset, (seconds, fact) in enumerate(facts)
    ]


def _at(seconds: float, fact: Fact) -> Fact:
    if isinstance(fact, AlertState):
        return replace(fact, occurred_at=Micros(at_us(seconds)))
    return fact
