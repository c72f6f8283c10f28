"""The fact that a record could not become a fact."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros


class DeadLetterReason(StrEnum):
    """Why a record could not become a fact, or an alert could not be delivered."""

    UNKNOWN = "UNKNOWN"
    UNDECODABLE = "UNDECODABLE"
    UNKNOWN_SCHEMA_ID = "UNKNOWN_SCHEMA_ID"
    UNEXPECTED_RECORD = "UNEXPECTED_RECORD"
    INVALID_FACT = "INVALID_FACT"
    NON_FINITE = "NON_FINITE"
    UNDECLARED_METRIC = "UNDECLARED_METRIC"
    CAPTURED_IN_FUTURE = "CAPTURED_IN_FUTURE"
    NOT_DELIVERED = "NOT_DELIVERED"


@dataclass(frozen=True, slots=True)
class DeadLetter(Fact):
    """A record that could not become a fact, kept with its reason; `value` is cut at 256 KiB."""

    record: ClassVar[str] = "modeltrail.dead_letters.DeadLetter"

    occurred_at: Micros
    topic: str
    topic_id: EventId
    partition: int
    offset: int
    appended_at: Micros
    consumer: str
    reason: DeadLetterReason
    detail: str
    key: bytes | None
    value: bytes | None
    value_size: int
