"""The typed events: one frozen class for each Avro record, field by field."""

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.events.dead_letters import DeadLetter, DeadLetterReason
from modeltrail.schemas.events.experiments import (
    ArtifactLogged,
    MetricsLogged,
    RunEnded,
    RunHeartbeat,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.events.inference import GroundTruthObserved, InferenceMeasured
from modeltrail.schemas.events.nodes import MeasurementsDropped
from modeltrail.schemas.events.registry import (
    AliasAssigned,
    AliasRemoved,
    FeatureKind,
    FeatureProfile,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    ModelTagSet,
    ReferenceProfiled,
    RejectionReason,
    VersionBump,
)

FACTS: tuple[type[Fact], ...] = (
    ModelRegistrationRequested,
    ModelRegistered,
    ModelRegistrationRejected,
    AliasAssigned,
    AliasRemoved,
    ModelTagSet,
    ReferenceProfiled,
    ModelArchived,
    ModelErased,
    RunStarted,
    MetricsLogged,
    ArtifactLogged,
    RunTagSet,
    RunHeartbeat,
    RunEnded,
    InferenceMeasured,
    GroundTruthObserved,
    MeasurementsDropped,
    DeadLetter,
)

__all__ = [
    "FACTS",
    "AliasAssigned",
    "AliasRemoved",
    "ArtifactLogged",
    "DeadLetter",
    "DeadLetterReason",
    "Fact",
    "FeatureKind",
    "FeatureProfile",
    "GroundTruthObserved",
    "InferenceMeasured",
    "MeasurementsDropped",
    "MetricsLogged",
    "ModelArchived",
    "ModelErased",
    "ModelRegistered",
    "ModelRegistrationRejected",
    "ModelRegistrationRequested",
    "ModelTagSet",
    "ReferenceProfiled",
    "RejectionReason",
    "RunEnded",
    "RunHeartbeat",
    "RunStarted",
    "RunStatus",
    "RunTagSet",
    "VersionBump",
]
