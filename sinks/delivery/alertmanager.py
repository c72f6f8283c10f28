"""Writes steps of alerts as Alertmanager's v2 API takes them (POST /api/v2/alerts).

An alert that Alertmanager does not hear of again it takes for resolved. So each is given an end a
few re-sends ahead, whatever the receiver's own `resolve_timeout`; an acknowledged alert, which is
not sent again, ends in a year.
"""

import json
from collections.abc import Iterable
from typing import Any

from modeltrail.schemas.ids import Micros
from modeltrail.sinks.delivery.fold import Step
from modeltrail.sinks.delivery.templates import number, rfc3339

PATH = "/api/v2/alerts"
# As Prometheus does: three re-sends may fail before an alert is forgotten.
_RESENDS_AHEAD = 4
_YEAR_S = 365 * 24 * 60 * 60


def alertmanager_body(steps: Iterable[Step], now_us: int, resend_s: float) -> bytes:
    """A JSON list of alerts.

    Args:
        steps: what is told; of one alert only the last counts.
        now_us: wall time, microseconds since the epoch.
        resend_s: how often open alerts are sent again, s.
    """
    return json.dumps([_alert(step, now_us, resend_s) for step in steps]).encode()


def _alert(step: Step, now_us: int, resend_s: float) -> dict[str, Any]:
    alert = step.alert
    # An empty label is no label.
    labels = {
        "alertname": alert.rule,
        "severity": alert.severity.lower(),
        "model_id": alert.model_id,
        "version": alert.version,
        "environment": alert.environment,
        "arm": alert.arm,
        "metric": alert.metric,
        "subject": alert.subject,
        "alert_id": alert.alert_id.hex(),
    }
    annotations = {
        "summary": alert.summary,
        "value": number(alert.value),
        "threshold": number(alert.threshold),
        "acknowledged_by": step.acknowledged_by,
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": rfc3339(alert.opened_at),
        "endsAt": rfc3339(Micros(_end_us(step, now_us, resend_s))),
    }


def _end_us(step: Step, now_us: int, resend_s: float) -> int:
    if step.over:
        return max(step.alert.occurred_at, step.alert.opened_at)
    ahead_s = _YEAR_S if step.acknowledged_by else _RESENDS_AHEAD * resend_s
    return now_us + round(ahead_s * 1_000_000)
