"""Answers what happened to a model: who changed what, when and why."""

from dataclasses import dataclass
from typing import NamedTuple

from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    Fact,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRestored,
    ModelTagSet,
    ReferenceProfiled,
)
from modeltrail.schemas.ids import Micros, ModelId, Version


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """One step in the life of a model.

    Attributes:
        at: when Kafka appended it, UTC, microseconds since 1970.
        what: `registered`, `alias assigned`, `alias removed`, `tag set`, `tag removed`,
            `archived`, `restored`, `erased` or `profiled`.
        version: which version; None: the model as a whole, or what an alias no longer names.
        name: the alias, tag or data set.
        value: the value of a tag.
        by: who asked for it.
        reason: why, in words.
    """

    at: Micros
    model_id: ModelId
    what: str
    version: Version | None = None
    name: str = ""
    value: str = ""
    by: str = ""
    reason: str = ""


def change_of(fact: Fact, at: Micros) -> RegistryChange | None:
    """The step that a fact of the registry is; None: it only asks or answers."""
    match fact:
        case ModelRegistered():
            step, by, reason = _Step("registered", fact.version), fact.requested_by, ""
        case AliasAssigned():
            step = _Step("alias assigned", fact.version, fact.alias)
            by, reason = fact.assigned_by, fact.reason
        case AliasRemoved():
            step = _Step("alias removed", None, fact.alias)
            by, reason = fact.removed_by, fact.reason
        case ModelTagSet():
            what = "tag removed" if fact.value is None else "tag set"
            step = _Step(what, fact.version, fact.name, fact.value or "")
            by, reason = fact.set_by, fact.reason
        case ModelArchived():
            step, by, reason = _Step("archived", fact.version), fact.archived_by, fact.reason
        case ModelRestored():
            step, by, reason = _Step("restored", fact.version), fact.restored_by, fact.reason
        case ModelErased():
            step, by, reason = _Step("erased", fact.version), fact.erased_by, fact.reason
        case ReferenceProfiled():
            step = _Step("profiled", fact.version, fact.dataset)
            by, reason = fact.profiled_by, ""
        case _:
            return None
    return RegistryChange(at, fact.model_id, *step, by, reason)


class _Step(NamedTuple):
    what: str
    version: Version | None
    name: str = ""
    value: str = ""
