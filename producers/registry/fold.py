"""Answers what is registered of one model: a fold over its facts in the registry topic."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modeltrail.producers.registry.changes import RegistryChange, change_of
from modeltrail.producers.registry.lineage import Lineage, lineage_of
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    Fact,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRestored,
    ModelTagSet,
    OpsetImport,
    Tensor,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a model; `registered_at` is UTC, microseconds since 1970.

    `tensors` and `opsets` are its signature, inputs first; it is archived or erased also when its
    whole model is.
    """

    model_id: ModelId
    version: Version
    artifact_uri: str
    artifact_sha256: Sha256
    artifact_size: int
    metadata: Mapping[str, Any]
    declared_metrics: tuple[str, ...]
    requested_by: str
    registered_at: Micros
    tensors: tuple[Tensor, ...] = ()
    opsets: tuple[OpsetImport, ...] = ()
    lineage: Lineage = field(default_factory=Lineage)
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False
    erased: bool = False


class ModelBook:
    """One model as the facts absorbed so far say; they come in the order of the log."""

    def __init__(self) -> None:
        self.history: list[RegistryChange] = []
        self._versions: dict[Version, RegisteredModel] = {}
        self._aliases: dict[str, Version] = {}
        self._names: dict[Version, set[str]] = {}
        self._tags: dict[Version | None, dict[str, str]] = {}
        self._all_archived = False
        self._archived: dict[Version, bool] = {}
        self._erased: set[Version] = set()
        self._seen: set[EventId] = set()

    def absorb(self, fact: Fact, at: Micros) -> None:
        """Take the next fact, appended at `at`; one that comes again changes nothing.

        Raises:
            ValueError: the metadata of a registration are no JSON.
        """
        about = getattr(fact, "request_id", None) or fact.event_id
        if about in self._seen:
            return
        if isinstance(fact, ModelRegistered):
            # The same bytes again: their version has been there since the first time.
            if fact.version in self._versions:
                return
            self._versions[fact.version] = _model(fact)
        self._seen.add(about)
        self._change(fact)
        if (change := change_of(fact, at)) is not None:
            self.history.append(change)

    def find(self, version_or_alias: str) -> RegisteredModel | None:
        """The version of that name, or the one that the alias points at."""
        version = Version(version_or_alias)
        if version not in self._versions:
            version = self._aliases.get(version_or_alias, version)
        return self._as_it_is(version) if version in self._versions else None

    @property
    def latest(self) -> RegisteredModel | None:
        """The version registered last of those in use, or else of those not erased, or of all."""
        erased = self._erased
        choices = (
            (each for each in reversed(self._versions) if not self._is_archived(each)),
            reversed(self._versions),
        )
        for choice in choices:
            for version in choice:
                if version not in erased:
                    return self._as_it_is(version)
        return next(map(self._as_it_is, reversed(self._versions)), None)

    def versions(self) -> Iterator[RegisteredModel]:
        """Every version, in the order in which they were registered."""
        return map(self._as_it_is, self._versions)

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the model as a whole."""
        return dict(self._tags.get(None, {}))

    def is_erased(self, version: Version) -> bool:
        """Whether the artifact of that version is gone."""
        return version in self._erased

    def _change(self, fact: Fact) -> None:
        match fact:
            case AliasAssigned():
                self._point(fact.alias, fact.version)
            case AliasRemoved():
                self._point(fact.alias, None)
            case ModelTagSet(value=None):
                self._tags.get(fact.version, {}).pop(fact.name, None)
            case ModelTagSet(value=str(value)):
                self._tags.setdefault(fact.version, {})[fact.name] = value
            case ModelArchived() | ModelRestored():
                self._archive(fact.version, isinstance(fact, ModelArchived))
            case ModelErased(version=None):
                # Versions that are registered later are not meant.
                self._erased.update(self._versions)
            case ModelErased(version=str(version)):
                self._erased.add(Version(version))
            case _:
                pass

    def _point(self, alias: str, version: Version | None) -> None:
        before = self._aliases.pop(alias, None)
        if before is not None:
            self._names[before].discard(alias)
        if version is not None:
            self._aliases[alias] = version
            self._names.setdefault(version, set()).add(alias)

    def _archive(self, version: Version | None, archived: bool) -> None:
        # The newest word counts, whether it was about the version or the whole model.
        if version is None:
            self._all_archived = archived
            self._archived.clear()
        else:
            self._archived[version] = archived

    def _is_archived(self, version: Version) -> bool:
        return self._archived.get(version, self._all_archived)

    def _as_it_is(self, version: Version) -> RegisteredModel:
        return replace(
            self._versions[version],
            aliases=tuple(sorted(self._names.get(version, ()))),
            tags=dict(self._tags.get(version, {})),
            archived=self._is_archived(version),
            erased=version in self._erased,
        )


def _model(fact: ModelRegistered) -> RegisteredModel:
    return RegisteredModel(
        model_id=fact.model_id,
        version=fact.version,
        artifact_uri=fact.artifact_uri,
        artifact_sha256=fact.artifact_sha256,
        artifact_size=fact.artifact_size,
        metadata=json.loads(fact.metadata_json),
        declared_metrics=fact.declared_metrics,
        requested_by=fact.requested_by,
        registered_at=fact.occurred_at,
        tensors=fact.tensors,
        opsets=fact.opsets,
        lineage=lineage_of(fact),
    )
