"""Writes a step of an alert as the body that a receiver reads: plain JSON, or a Slack message."""

import json
import math
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from modeltrail.schemas.events import AlertState, Severity
from modeltrail.schemas.ids import Micros

# Slack refuses a section whose text has more than 3,000 characters.
_LONGEST_TEXT = 2900
_SIGNS = {
    "AlertPending": ":hourglass_flowing_sand:",
    "AlertResolved": ":white_check_mark:",
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
}
_OTHER_SIGN = ":large_blue_circle:"


def json_body(alert: AlertState) -> bytes:
    """One object: `type`, then every field; ids in hex, times in RFC 3339, no number as null."""
    values = {field.name: _plain(field.name, getattr(alert, field.name)) for field in fields(alert)}
    return _encoded({"type": type(alert).__name__, **values})


def slack_body(alert: AlertState) -> bytes:
    """A message with a plain `text` for notifications and the same in `blocks`."""
    kind = type(alert).__name__
    sign = _SIGNS.get(kind) or _SIGNS.get(alert.severity, _OTHER_SIGN)
    state = kind.removeprefix("Alert").lower()
    headline = f"{alert.severity} {alert.rule} {state}: {alert.model_id} {alert.version}"
    where = f"{alert.environment}/{alert.arm}"
    facts = (
        f"{alert.metric} {alert.statistic} {number(alert.value)} "
        f"(limit {number(alert.threshold)}) over {alert.window}, {alert.samples} samples"
    )
    origin = f"{where} · {alert.subject} · {rfc3339(alert.occurred_at)} · {alert.alert_id.hex()}"
    section = f"{sign} *{_escaped(headline)}*\n{_escaped(alert.summary)}\n{_escaped(facts)}"
    return _encoded(
        {
            "text": _escaped(f"{headline}. {alert.summary}")[:_LONGEST_TEXT],
            "blocks": [
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": section[:_LONGEST_TEXT]},
                },
                {
                    "type": "context",
                    "elements": [{"type": "mrkdwn", "text": _escaped(origin)[:_LONGEST_TEXT]}],
                },
            ],
        }
    )


def rfc3339(time: Micros) -> str:
    """A time as RFC 3339 in UTC with microseconds."""
    at = datetime.fromtimestamp(time // 1_000_000, UTC).replace(microsecond=time % 1_000_000)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def number(value: float) -> str:
    """A number for people; `none` where there is none."""
    return f"{value:.6g}" if math.isfinite(value) else "none"


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if name.endswith("_at"):
        return rfc3339(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _escaped(text: str) -> str:
    # What Slack's mrkdwn asks for, so that no name becomes a link or a mention.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
