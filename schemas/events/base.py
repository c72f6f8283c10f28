"""Answers what every fact has in common: its record name, its identity and its time."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.ids import EventId


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened; `record` is the full name of its Avro record."""

    record: ClassVar[str]

    event_id: EventId
