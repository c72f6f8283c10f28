"""Facts about documents that were made from the log."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, Sha256, Version


class DocumentKind(StrEnum):
    """What a document is about."""

    UNKNOWN = "UNKNOWN"
    MODEL_CARD = "MODEL_CARD"
    EXPERIMENT_REPORT = "EXPERIMENT_REPORT"


@dataclass(frozen=True, slots=True)
class DocumentRequested(Fact):
    """Somebody asks for a document."""

    record: ClassVar[str] = "modeltrail.documents.DocumentRequested"

    occurred_at: Micros
    subject: str
    kind: DocumentKind
    version: Version | None = None
    as_of: Micros | None = None
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class DocumentGenerated(Fact):
    """A document was folded from the log and put into the artifact store."""

    record: ClassVar[str] = "modeltrail.documents.DocumentGenerated"

    occurred_at: Micros
    request_id: EventId
    subject: str
    kind: DocumentKind
    as_of: Micros
    trigger: str
    markdown_uri: str
    markdown_sha256: Sha256
    html_uri: str
    html_sha256: Sha256
    citations: int
    sections: tuple[str, ...]
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class DocumentRefused(Fact):
    """A document could not be made, and why."""

    record: ClassVar[str] = "modeltrail.documents.DocumentRefused"

    occurred_at: Micros
    request_id: EventId
    subject: str
    kind: DocumentKind
    detail: str
