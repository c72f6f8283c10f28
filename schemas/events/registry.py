"""Facts about models: which were asked for, registered, named, tagged and retired."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, RunId, Sha256, Version


class VersionBump(StrEnum):
    """Which part of the semantic version a registration raises."""

    UNKNOWN = "UNKNOWN"
    MAJOR = "MAJOR"
    MINOR = "MINOR"
    PATCH = "PATCH"


class RejectionReason(StrEnum):
    """Why the registry refused a request."""

    UNKNOWN = "UNKNOWN"
    INVALID_MODEL_ID = "INVALID_MODEL_ID"
    INVALID_ARTIFACT = "INVALID_ARTIFACT"
    INVALID_METADATA = "INVALID_METADATA"
    INVALID_DECLARED_METRICS = "INVALID_DECLARED_METRICS"
    UNKNOWN_BUMP = "UNKNOWN_BUMP"


class FeatureKind(StrEnum):
    """How a feature is binned."""

    UNKNOWN = "UNKNOWN"
    NUMERIC = "NUMERIC"
    CATEGORICAL = "CATEGORICAL"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of an ONNX graph; a dimension is a number, a symbol, or `?`."""

    is_input: bool
    name: str
    dtype: str
    shape: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpsetImport:
    """A set of operators that a model uses; the empty domain is that of ONNX itself."""

    domain: str
    version: int


@dataclass(frozen=True, slots=True)
class ModelRegistrationRequested(Fact):
    """Somebody asks for a new version of a model."""

    record: ClassVar[str] = "modeltrail.registry.ModelRegistrationRequested"

    occurred_at: Micros
    model_id: ModelId
    artifact_uri: str
    artifact_sha256: Sha256
    artifact_size: int
    metadata_json: str
    declared_metrics: tuple[str, ...] = ()
    bump: VersionBump = VersionBump.MAJOR
    requested_by: str = ""
    tensors: tuple[Tensor, ...] = ()
    opsets: tuple[OpsetImport, ...] = ()
    run_id: RunId | None = None
    dataset: str = ""
    dataset_fingerprint: str = ""
    git_commit: str = ""
    environment_lock: str = ""
    parent_model_id: ModelId | None = None
    parent_version: Version | None = None


@dataclass(frozen=True, slots=True)
class ModelRegistered(Fact):
    """The registry gave an artifact its version; the same bytes keep the same event_id."""

    record: ClassVar[str] = "modeltrail.registry.ModelRegistered"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    version: Version
    artifact_uri: str
    artifact_sha256: Sha256
    artifact_size: int
    metadata_json: str
    declared_metrics: tuple[str, ...] = ()
    requested_by: str = ""
    tensors: tuple[Tensor, ...] = ()
    opsets: tuple[OpsetImport, ...] = ()
    run_id: RunId | None = None
    dataset: str = ""
    dataset_fingerprint: str = ""
    git_commit: str = ""
    environment_lock: str = ""
    parent_model_id: ModelId | None = None
    parent_version: Version | None = None


@dataclass(frozen=True, slots=True)
class ModelRegistrationRejected(Fact):
    """The registry refused a request, and says why."""

    record: ClassVar[str] = "modeltrail.registry.ModelRegistrationRejected"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True)
class AliasAssigned(Fact):
    """An alias points at a version from now on."""

    record: ClassVar[str] = "modeltrail.registry.AliasAssigned"

    occurred_at: Micros
    model_id: ModelId
    alias: str
    version: Version
    assigned_by: str = ""
    reason: str = ""
    request_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class AliasRemoved(Fact):
    """An alias points at nothing from now on."""

    record: ClassVar[str] = "modeltrail.registry.AliasRemoved"

    occurred_at: Micros
    model_id: ModelId
    alias: str
    removed_by: str = ""
    reason: str = ""
    request_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class ModelTagSet(Fact):
    """A tag of a model or of one version was set; a null value removes it."""

    record: ClassVar[str] = "modeltrail.registry.TagSet"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None
    name: str
    value: str | None = None
    set_by: str = ""
    reason: str = ""
    request_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class FeatureProfile:
    """Counts of one feature: n inner edges make n + 1 bins, or one count a category."""

    name: str
    kind: FeatureKind
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceProfiled(Fact):
    """The distribution that drift of a version is measured against."""

    record: ClassVar[str] = "modeltrail.registry.ReferenceProfiled"

    occurred_at: Micros
    model_id: ModelId
    version: Version
    dataset: str
    dataset_sha256: Sha256
    rows: int
    features: tuple[FeatureProfile, ...]
    profiled_by: str = ""


@dataclass(frozen=True, slots=True)
class ModelArchived(Fact):
    """A model (null version) or one version is out of use; its history stays."""

    record: ClassVar[str] = "modeltrail.registry.ModelArchived"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None = None
    archived_by: str = ""
    reason: str = ""
    request_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class ModelErased(Fact):
    """The artifacts of a model (null version) or one version were erased; the facts stay."""

    record: ClassVar[str] = "modeltrail.registry.ModelErased"

    occurred_at: Micros
    model_id: ModelId
    erased_by: str = ""
    reason: str = ""
    version: Version | None = None
    request_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class ModelRestored(Fact):
    """A model (null version) or one version that was archived is in use again."""

    record: ClassVar[str] = "modeltrail.registry.ModelRestored"

    occurred_at: Micros
    model_id: ModelId
    version: Version | None = None
    restored_by: str = ""
    reason: str = ""
    request_id: EventId | None = None
