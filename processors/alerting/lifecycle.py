"""Answers which step of its life an alert takes next: pending, raised, updated, resolved.

The state of an alert is its last fact: nothing else has to be restored. Ids depend only on the
subject, the rule and the cut at which the breach began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from modeltrail.processors.alerting.series import Series
from modeltrail.schemas.events import (
    AlertKind,
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    ResolveReason,
    Severity,
)
from modeltrail.schemas.ids import EventId, Micros, derived_event_id

UPDATE_EVERY_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, and the rule that it may break."""

    series: Series
    kind: AlertKind
    rule: str
    metric: str
    statistic: str
    window: str
    severity: Severity
    threshold: float
    for_us: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a subject; `renewed` is worth an update even with the same value."""

    value: float
    samples: int
    breached: bool
    recovered: bool
    summary: str
    reason: ResolveReason = ResolveReason.RECOVERED
    renewed: bool = False


def is_open(last: AlertState | None) -> bool:
    """Whether the alert with this last fact is pending or raised."""
    return last is not None and not isinstance(last, AlertResolved)


def next_step(
    last: AlertState | None, subject: Subject, finding: Finding, end: Micros
) -> AlertState | None:
    """The fact that follows `last` when `finding` is decided at `end`; None: all stays.

    A finding that is older than the last fact is one that comes again: it changes nothing.
    """
    if last is None or isinstance(last, AlertResolved):
        new = last is None or last.occurred_at <= end
        return _begin(subject, finding, end) if finding.breached and new else None
    if end <= last.occurred_at:
        return None
    if isinstance(last, AlertPending):
        return _while_pending(last, subject, finding, end)
    if finding.recovered:
        return _resolved(last, subject, finding, end, finding.reason)
    due = end - last.occurred_at >= UPDATE_EVERY_US
    if due and (finding.renewed or finding.value != last.value):
        event_id = derived_event_id(AlertUpdated.record, last.alert_id, end)
        return AlertUpdated(event_id, **_contents(subject, finding, end, last.opened_at))
    return None


def removed(last: AlertState, end: Micros) -> AlertResolved:
    """The end of an alert whose rule no longer holds for it."""
    where = f"{last.model_id} {last.version} ({last.environment}, {last.arm})"
    return _ended(
        last, end, ResolveReason.RULE_REMOVED, f"Rule {last.rule} no longer holds for {where}."
    )


def faded(last: AlertState, end: Micros, summary: str) -> AlertResolved:
    """The end of an alert about which nothing more was heard."""
    return _ended(last, end, ResolveReason.RECOVERED, summary)


def _begin(subject: Subject, finding: Finding, end: Micros) -> AlertState:
    kind = AlertPending if subject.for_us else AlertRaised
    return _first(kind, subject, finding, end, opened_at=end)


def _while_pending(
    last: AlertPending, subject: Subject, finding: Finding, end: Micros
) -> AlertState | None:
    if not finding.breached:
        return _resolved(last, subject, finding, end, ResolveReason.CLEARED_WHILE_PENDING)
    if end - last.opened_at >= subject.for_us:
        return _first(AlertRaised, subject, finding, end, opened_at=last.opened_at)
    return None


def _first(
    kind: type[AlertPending] | type[AlertRaised],
    subject: Subject,
    finding: Finding,
    end: Micros,
    opened_at: Micros,
) -> AlertState:
    contents = _contents(subject, finding, end, opened_at)
    return kind(derived_event_id(kind.record, contents["alert_id"]), **contents)


def _resolved(
    last: AlertState, subject: Subject, finding: Finding, end: Micros, reason: ResolveReason
) -> AlertResolved:
    return AlertResolved(
        derived_event_id(AlertResolved.record, last.alert_id),
        **_contents(subject, finding, end, last.opened_at),
        reason=reason,
    )


def _ended(last: AlertState, end: Micros, reason: ResolveReason, summary: str) -> AlertResolved:
    contents = {field.name: getattr(last, field.name) for field in fields(AlertState)}
    contents |= {
        "event_id": derived_event_id(AlertResolved.record, last.alert_id),
        "occurred_at": end,
        "summary": summary,
    }
    return AlertResolved(**contents, reason=reason)


def _contents(
    subject: Subject, finding: Finding, end: Micros, opened_at: Micros
) -> Mapping[str, Any]:
    series = subject.series
    parts = (series.version, series.environment, series.arm, subject.metric)
    return {
        "occurred_at": end,
        "alert_id": alert_id(subject, opened_at),
        **series._asdict(),
        "kind": subject.kind,
        "rule": subject.rule,
        "subject": "/".join(part for part in parts if part),
        "metric": subject.metric,
        "statistic": subject.statistic,
        "window": subject.window,
        "severity": subject.severity,
        "opened_at": opened_at,
        "value": finding.value,
        "threshold": subject.threshold,
        "samples": finding.samples,
        "summary": finding.summary,
    }


def alert_id(subject: Subject, opened_at: Micros) -> EventId:
    """The one id of the alert about `subject` whose breach began at `opened_at`."""
    return derived_event_id(
        "modeltrail.alerts", *subject.series, subject.rule, subject.metric, opened_at
    )
