"""Facts about what the registry was asked to change of a model it knows, and what it refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version


class RefusalReason(StrEnum):
    """Why the registry refuses a change."""

    UNKNOWN = "UNKNOWN"
    UNKNOWN_MODEL = "UNKNOWN_MODEL"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    UNKNOWN_ALIAS = "UNKNOWN_ALIAS"
    INVALID_ALIAS = "INVALID_ALIAS"
    INVALID_TAG = "INVALID_TAG"
    INVALID_TEXT = "INVALID_TEXT"
    ERASED = "ERASED"
    ALIASED = "ALIASED"


@dataclass(frozen=True, slots=True)
class AliasRequested(Fact):
    """Somebody asks that an alias point at a version, or at nothing (null)."""

    record: ClassVar[str] = "modeltrail.registry.AliasRequested"

    occurred_at: Micros
    model_id: ModelId
    alias: str
    version: Version | None = None
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TagRequested(Fact):
    """Somebody asks that a tag of a model or of one version be set; a null value removes it."""

    record: ClassVar[str] = "modeltrail.registry.TagRequested"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None
    name: str
    value: str | None = None
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveRequested(Fact):
    """Somebody asks that a model or one version be taken out of use, or back into it."""

    record: ClassVar[str] = "modeltrail.registry.ArchiveRequested"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None = None
    restore: bool = False
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EraseRequested(Fact):
    """Somebody asks that the artifact of a version, or of all versions, be deleted for good."""

    record: ClassVar[str] = "modeltrail.registry.EraseRequested"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None = None
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RegistryRequestRefused(Fact):
    """The registry refused a change, and says why."""

    record: ClassVar[str] = "modeltrail.registry.RegistryRequestRefused"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    reason: RefusalReason
    detail: str
