"""What the registry knows of one model: its versions, names and who was answered.

Every change takes about the same time however many versions there are, and leaves the old state as
it was: an answer that could not be appended is decided again from it.
"""

from dataclasses import dataclass, field, replace

from modeltrail.processors.persistent_map import PersistentMap
from modeltrail.processors.registry.versions import SemanticVersion, parse_version
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    ModelErased,
    ModelRegistered,
)
from modeltrail.schemas.ids import EventId, Sha256, Version
from modeltrail.schemas.registry_dialogue import RegistryAnswer


@dataclass(frozen=True, slots=True)
class Registration:
    """A version as it was registered, as the `number`th of its model, counted from 0."""

    fact: ModelRegistered
    number: int


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model.

    Attributes:
        registered: its versions.
        holders: by SHA-256, the newest version with those bytes.
        highest: its highest version.
        answered: the requests that have an answer.
        aliases: the version that each alias points at.
        pointing: the aliases that point at a version, as keys.
        erased: versions that were erased one by one, as keys.
        all_erased_before: number of the first version that an erasure of all left alone.
    """

    registered: PersistentMap[Version, Registration] = field(default_factory=PersistentMap)
    holders: PersistentMap[Sha256, Version] = field(default_factory=PersistentMap)
    highest: SemanticVersion | None = None
    answered: PersistentMap[EventId, None] = field(default_factory=PersistentMap)
    aliases: PersistentMap[str, Version] = field(default_factory=PersistentMap)
    pointing: PersistentMap[Version, PersistentMap[str, None]] = field(
        default_factory=PersistentMap
    )
    erased: PersistentMap[Version, None] = field(default_factory=PersistentMap)
    all_erased_before: int = 0

    def is_erased(self, version: Version) -> bool:
        """Whether the artifact of a registered version is gone."""
        return version in self.erased or self.registered[version].number < self.all_erased_before


def absorb(state: ModelState, fact: RegistryAnswer) -> ModelState:
    """The state after `fact`; one that comes again changes nothing."""
    about = fact.request_id or fact.event_id
    if about in state.answered:
        return state
    state = replace(state, answered=state.answered.put(about, None))
    match fact:
        case ModelRegistered():
            return _registered(state, fact)
        case AliasAssigned():
            return _pointed(_unpointed(state, fact.alias), fact.alias, fact.version)
        case AliasRemoved():
            return _unpointed(state, fact.alias)
        case ModelErased(version=None):
            return replace(state, all_erased_before=len(state.registered))
        case ModelErased(version=str(version)):
            return replace(state, erased=state.erased.put(Version(version), None))
        case _:
            return state


def _registered(state: ModelState, fact: ModelRegistered) -> ModelState:
    # The same bytes again: their version has been there since the first time.
    if fact.version in state.registered:
        return state
    registration = Registration(fact, len(state.registered))
    return replace(
        state,
        registered=state.registered.put(fact.version, registration),
        holders=state.holders.put(fact.artifact_sha256, fact.version),
        highest=_higher(state.highest, fact.version),
    )


def _higher(highest: SemanticVersion | None, version: Version) -> SemanticVersion | None:
    try:
        parsed = parse_version(version)
    except InvalidFact:
        # Written by somebody else; it must not stop the registry.
        return highest
    return parsed if highest is None else max(highest, parsed)


def _pointed(state: ModelState, alias: str, version: Version) -> ModelState:
    names = state.pointing.get(version) or PersistentMap[str, None]()
    return replace(
        state,
        aliases=state.aliases.put(alias, version),
        pointing=state.pointing.put(version, names.put(alias, None)),
    )


def _unpointed(state: ModelState, alias: str) -> ModelState:
    version = state.aliases.get(alias)
    if version is None:
        return state
    names = state.pointing[version].without(alias)
    pointing = state.pointing
    return replace(
        state,
        aliases=state.aliases.without(alias),
        pointing=pointing.put(version, names) if names else pointing.without(version),
    )
