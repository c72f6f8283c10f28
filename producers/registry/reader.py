"""The registry as everybody reads it: find, fetch and verify versions, see what happened."""

import logging
from collections.abc import Callable, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import ArtifactStoreUnavailable, UnknownModel
from modeltrail.producers.eventlog.client import LogAccess
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.per_process import PerProcess
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.registry.changes import RegistryChange
from modeltrail.producers.registry.erased import require_not_erased
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.producers.registry.snapshot import RegistrySnapshot
from modeltrail.producers.registry.view import RegistryView
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.schemas.ids import Micros, ModelId, Sha256

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RegistryReader(LogAccess):
    """Reads come from the log itself, and erasures that they meet are carried out again.

    What an erasure left in the cache, or in an artifact store that is a folder of this machine, is
    deleted at the first read. Every method that reads raises `Unavailable` or
    `SchemaRegistryUnavailable` where Kafka or the schema registry does not answer.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is connected yet. Arguments are those of `LogAccess`.

        Raises:
            ConfigError: no Kafka or schema registry is configured, or the artifact store's URL
                holds a password.
        """
        super().__init__(settings, log=log, schema_ids=schema_ids, clock=clock)
        self._store = open_artifact_store(self._settings)
        self._codec = PerProcess(lambda: Codec(self._ids()))
        self._view = PerProcess(lambda: RegistryView(self._log, self._codec.get()))

    def get_model(self, model_id: str, version: str | None = None) -> RegisteredModel | None:
        """One version of a model, by its name or by an alias; None if there is none.

        Without a name it is the version registered last that is neither archived nor erased; where
        none is in use, the last that was not erased.
        """
        return self._read(lambda found: found.get_model(model_id, version))

    def list_models(self) -> list[ModelId]:
        """The ids of all registered models, sorted."""
        return self._read(RegistrySnapshot.list_models)

    def versions(self, model_id: str) -> list[RegisteredModel]:
        """Every version of a model, in the order in which they were registered."""
        return self._read(lambda found: found.versions(model_id))

    def tags(self, model_id: str) -> dict[str, str]:
        """The tags of a model as a whole; those of a version are part of it."""
        return self._read(lambda found: found.tags(model_id))

    def history(self, model_id: str) -> list[RegistryChange]:
        """Who changed what of a model, when and why, the oldest first."""
        return self._read(lambda found: found.history(model_id))

    def registry_at(self, ts: int | datetime) -> RegistrySnapshot:
        """The registry as it stood at a moment, by the times at which Kafka appended its facts.

        Args:
            ts: UTC, microseconds since 1970; or a time, UTC where it names no zone.
        """
        until = Micros(_micros(ts))
        return RegistryView(self._log, self._codec.get(), until=until).read(lambda found: found)

    def fetch_artifact(self, model: RegisteredModel) -> Path:
        """The model's file, local and verified against its SHA-256.

        Whether it was erased since `model` was read is asked of the log, where that answers.

        Raises:
            ArtifactErased: it was erased.
            ArtifactNotFound: the store no longer has it.
            ArtifactCorrupt: the store has other bytes; the error names both hashes.
            ArtifactStoreUnavailable: the store does not answer.
        """
        require_not_erased(model)
        require_not_erased(self._as_it_is(model))
        return self._store.fetch(model.artifact_sha256, model.artifact_uri)

    def verify(self, model_id: str, version: str | None = None) -> RegisteredModel:
        """Read the artifact in the store and compare it with what was registered.

        Raises:
            UnknownModel: no such version or alias is registered.
            ModeltrailError: as `fetch_artifact`.
        """
        model = self.get_model(model_id, version)
        if model is None:
            raise UnknownModel(
                f"{model_id[:80]!r} {version or ''} is not registered: "
                "see what is with `modeltrail registry list`"
            )
        require_not_erased(model)
        self._store.verify(model.artifact_sha256, model.artifact_uri)
        return model

    def apply_erasures(self, model_id: str | None = None) -> list[RegisteredModel]:
        """Delete what erased versions left in the artifact store, as after restoring a backup.

        Bytes that another version of any model still has are kept.

        Args:
            model_id: only versions of this model.

        Returns:
            The erased versions whose bytes are gone now.

        Raises:
            ArtifactStoreUnavailable: the store does not answer or refuses; call again.
        """
        gone = []
        for model in self._read(lambda found: list(found.unheld(model_id))):
            if _is_held(self._view.get(), model.artifact_sha256):
                continue
            self._store.erase(model.artifact_sha256, model.artifact_uri)
            gone.append(model)
        return gone

    def _read(self, ask: Callable[[RegistrySnapshot], T]) -> T:
        view = self._view.get()
        found = view.read(ask)
        if erasures := view.take_erasures():
            self._carry_out(view, {erasure.model_id for erasure in erasures})
        return found

    def _carry_out(self, view: RegistryView, model_ids: Set[ModelId]) -> None:
        gone = view.read(lambda found: [each for name in model_ids for each in found.unheld(name)])
        for model in gone:
            sha256 = model.artifact_sha256
            self._store.forget(sha256)
            if not self._store.on_this_machine:
                continue
            try:
                # First whether there is anything: that costs less than to ask the log.
                if self._store.has(sha256) and not _is_held(view, sha256):
                    self._store.erase(sha256)
            except ArtifactStoreUnavailable as error:
                # Whoever only reads may not be allowed to.
                _LOG.warning("an erased artifact is still there: %s", error)

    def _as_it_is(self, model: RegisteredModel) -> RegisteredModel:
        try:
            return self.get_model(model.model_id, model.version) or model
        except (Unavailable, SchemaRegistryUnavailable):
            return model


def _is_held(view: RegistryView, sha256: Sha256) -> bool:
    # Asked right before each deletion: a file may be registered anew while others are deleted.
    return view.read(lambda found: found.is_held(sha256))


def _micros(ts: int | datetime) -> int:
    if isinstance(ts, int):
        return ts
    aware = ts if ts.tzinfo is not None else ts.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
