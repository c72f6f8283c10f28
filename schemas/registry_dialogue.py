"""Answers which facts ask something of the registry, and which are its answers."""

from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    AliasRequested,
    ArchiveRequested,
    EraseRequested,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    ModelRestored,
    ModelTagSet,
    RegistryRequestRefused,
    TagRequested,
)

ChangeRequest = AliasRequested | TagRequested | ArchiveRequested | EraseRequested
RegistryRequest = ModelRegistrationRequested | ChangeRequest
Change = (
    ModelRegistered
    | AliasAssigned
    | AliasRemoved
    | ModelTagSet
    | ModelArchived
    | ModelRestored
    | ModelErased
)
RegistryAnswer = Change | ModelRegistrationRejected | RegistryRequestRefused
