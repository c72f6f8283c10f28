"""Answers which versions a model has: a fold over the facts of the registry topic."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from modeltrail.schemas.events import Fact, ModelRegistered
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a model; `registered_at` is UTC, microseconds since 1970."""

    model_id: ModelId
    version: Version
    artifact_uri: str
    artifact_sha256: Sha256
    artifact_size: int
    metadata: Mapping[str, Any]
    declared_metrics: tuple[str, ...]
    requested_by: str
    registered_at: Micros


@dataclass(frozen=True, slots=True)
class ModelHistory:
    """The versions of one model in the order in which they were registered."""

    versions: tuple[RegisteredModel, ...] = ()
    known: frozenset[EventId] = frozenset()

    @property
    def latest(self) -> RegisteredModel | None:
        """The version registered last; the registry's writer only ever gives higher ones."""
        return self.versions[-1] if self.versions else None

    def find(self, version: str) -> RegisteredModel | None:
        """That version, if it was registered."""
        return next((model for model in self.versions if model.version == version), None)


def fold(history: ModelHistory, fact: Fact) -> ModelHistory:
    """The history after `fact`; the same bytes registered again come as the same event_id."""
    if not isinstance(fact, ModelRegistered) or fact.event_id in history.known:
        return history
    return replace(
        history,
        versions=(*history.versions, _model(fact)),
        known=history.known | {fact.event_id},
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
    )
