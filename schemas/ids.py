"""Answers what an identifier is, which strings may be one, and how ids are made."""

import os
import uuid
from typing import NewType

from modeltrail.schemas.errors import InvalidFact

EventId = NewType("EventId", bytes)
Sha256 = NewType("Sha256", bytes)
ModelId = NewType("ModelId", str)
Version = NewType("Version", str)
ExperimentId = NewType("ExperimentId", str)
RunId = NewType("RunId", str)
NodeId = NewType("NodeId", str)
SessionId = NewType("SessionId", str)
MetricName = NewType("MetricName", str)
Micros = NewType("Micros", int)

EVENT_ID_BYTES = 16
LONGEST_ID = 1000
LONGEST_METRIC_NAME = 250
MOST_DECLARED_METRICS = 32

_NAMESPACE = uuid.UUID("6d6f6465-6c74-5261-a96c-000000000001")


def new_event_id() -> EventId:
    """Make a random id for a fact that nothing derives."""
    return EventId(os.urandom(EVENT_ID_BYTES))


def derived_event_id(*about: str | bytes | int) -> EventId:
    """Make the one id of a fact about `about`: uuid5, the same at every replay.

    Kind and length go in front of each part, so that ("a", "bc") and ("ab", "c"), or 1 and "1",
    never share an id.
    """
    return EventId(uuid.uuid5(_NAMESPACE, "".join(map(_delimited, about))).bytes)


def _delimited(part: str | bytes | int) -> str:
    text = part.hex() if isinstance(part, bytes) else str(part)
    kind = "b" if isinstance(part, bytes) else "s" if isinstance(part, str) else "i"
    return f"{kind}{len(text)}:{text}"


def sha256_from_hex(digest: str) -> Sha256:
    """Parse the 64 hex digits of a SHA-256.

    Raises:
        InvalidFact: not 64 hex digits.
    """
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise InvalidFact(f"{digest[:80]!r} is not a SHA-256: give its 64 hex digits")
    return Sha256(raw)


def check_id(kind: str, value: str) -> str:
    """Give `value` back if it may name a model, run, node or session.

    Raises:
        InvalidFact: empty, longer than 1,000 characters, or with control characters.
    """
    return _check_name(kind, value, LONGEST_ID)


def check_metric_name(value: str) -> MetricName:
    """Give `value` back if it may name a metric.

    Raises:
        InvalidFact: empty, longer than 250 characters, or with control characters.
    """
    return MetricName(_check_name("metric name", value, LONGEST_METRIC_NAME))


def _check_name(kind: str, value: str, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidFact(f"{kind} is a {type(value).__name__}: give a string")
    if not value:
        raise InvalidFact(f"{kind} is empty: give 1 to {longest} characters")
    if len(value) > longest:
        raise InvalidFact(
            f"{kind} {value[:40]!r}… has {len(value)} characters: {longest} are allowed"
        )
    if not value.isprintable():
        raise InvalidFact(f"{kind} {value[:40]!r} holds unprintable characters: leave them out")
    return value
