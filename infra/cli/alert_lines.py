"""Writes what happens to alerts as lines, for people or as JSON."""

import json
import math
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from modeltrail.schemas.events import AlertAcknowledged, AlertSilenced, AlertState, Fact


def line_of(fact: Fact) -> str:
    """One clear line without line breaks."""
    match fact:
        case AlertState():
            what = type(fact).__name__.removeprefix("Alert").upper()
            return _one_line(
                f"{time_of(fact.occurred_at)}  {what:<8}  {fact.severity:<8}  {fact.rule}  "
                f"{fact.model_id}  {fact.subject}  {fact.summary}  [{fact.alert_id.hex()}]"
            )
        case AlertAcknowledged():
            return _one_line(
                f"{time_of(fact.occurred_at)}  ACKED     {fact.model_id}  by {fact.acknowledged_by}"
                f"{_because(fact.comment)}  [{fact.alert_id.hex()}]"
            )
        case AlertSilenced():
            of = " ".join(each for each in (fact.rule, fact.subject) if each) or "everything"
            return _one_line(
                f"{time_of(fact.occurred_at)}  SILENCED  {fact.model_id}  {of} "
                f"until {time_of(fact.ends_at)} by {fact.silenced_by}{_because(fact.comment)}"
            )
        case _:
            return _one_line(f"{type(fact).__name__}")


def json_of(fact: Fact) -> str:
    """One object: `type`, then every field; ids in hex, times in ISO 8601, no number as null."""
    values = {field.name: _plain(field.name, getattr(fact, field.name)) for field in fields(fact)}
    return json.dumps({"type": type(fact).__name__, **values}, ensure_ascii=False, allow_nan=False)


def time_of(micros: int) -> str:
    """A time in UTC, to the second."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _because(comment: str) -> str:
    return f": {comment}" if comment else ""


def _one_line(text: str) -> str:
    # What others wrote must not move the cursor or start a line of its own.
    return "".join(each if each.isprintable() else " " for each in text)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if name.endswith("_at"):
        at = datetime.fromtimestamp(value // 1_000_000, UTC)
        return at.replace(microsecond=value % 1_000_000).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
