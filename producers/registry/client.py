"""The registry as a training job sees it: register a model file, name, tag and retire versions."""

import os
from collections.abc import Mapping, Sequence, Set
from typing import Any

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import UnknownModel
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.registry.artifacts import Artifact
from modeltrail.producers.registry.asking import Asking
from modeltrail.producers.registry.change_request import Asked
from modeltrail.producers.registry.leftovers import Leftovers
from modeltrail.producers.registry.lineage import Lineage
from modeltrail.producers.registry.reader import RegistryReader
from modeltrail.producers.registry.request import registration_request
from modeltrail.producers.registry.view import RegistryView
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.codec import SchemaIds
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.schemas.events import ModelRegistered
from modeltrail.schemas.ids import ModelId, Version

LEFTOVERS_RETRY_S = 30.0


class ModelRegistry(RegistryReader):
    """Registers ONNX models and reads what is registered; safe to share between threads.

    Reads come from the log itself: what `register_model` returned is there for every later
    `get_model`, in every process. A forked child makes connections of its own.

    Every change waits until the registry has answered. It raises `InvalidFact` where a name or text
    may not become a fact, `RequestRefused` where the registry refuses, with its reason, and
    `RegistryTimeout` where no answer came within `model_registry.answer_timeout_s`: the request is
    kept and honoured once, when Kafka and the registry worker are there again.

    What erasures left in a bucket is deleted in the background, half a minute after they were read,
    and tried again until the bucket answers; it takes a few requests per erased version.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is connected yet. Arguments and errors are those of `RegistryReader`."""
        super().__init__(settings, log=log, schema_ids=schema_ids, clock=clock)
        self._outbox = Outbox(self._settings, self._log, self._ids)
        timeout_s = self._settings.model_registry.answer_timeout_s
        self._asking = Asking(self._log, self._codec, self._outbox, self._clock, timeout_s)
        self._leftovers = Leftovers(self.apply_erasures, LEFTOVERS_RETRY_S)

    def register_model(
        self,
        model_id: str,
        path: str | os.PathLike[str],
        metadata: Mapping[str, Any] | None = None,
        *,
        declared_metrics: Sequence[str] = (),
        bump: str = "major",
        requested_by: str = "",
        lineage: Lineage | None = None,
    ) -> Version:
        """Store an ONNX file, ask for a version, and wait for the registry's answer.

        The same bytes registered again for the same model give the same version, unless that was
        erased: then they get the next one. Inputs, outputs and operator sets are read from the
        file.

        Args:
            model_id: the model's name, 1 to 1,000 printable characters.
            path: the ONNX file.
            metadata: anything JSON can hold.
            declared_metrics: up to 32 names of extra metrics that nodes may measure.
            bump: "major", "minor" or "patch": the part of the version that is raised.
            requested_by: who asks.
            lineage: what it was made from; a parent is a version that is registered, also one
                that was archived or erased.

        Raises:
            ArtifactNotFound: no readable file at `path`.
            NotOnnx: it is not an ONNX model.
            ArtifactTooLarge: above `model_registry.max_artifact_mb`.
            ArtifactStoreUnavailable: the artifact store does not answer or refuses.
            InvalidFact: a name, the metadata, the bump or the lineage may not become a fact.
            UnknownModel: the lineage's parent is not registered. While Kafka is away, only the
                registry can tell, and only of the model itself: it rejects the request.
            RegistrationRejected: the registry refused; the error has its reason.
            RegistrationTimeout: no answer within `model_registry.answer_timeout_s`. The request
                is kept; calling again is safe.
        """
        # Checked before gigabytes are copied.
        request = registration_request(
            model_id, metadata, declared_metrics, bump, requested_by, lineage, self._clock
        )
        if lineage is not None and lineage.parent is not None:
            self._require_registered(*lineage.parent)
        artifact, signature = self._store.put_model(path)
        answer = self._asking.ask(request(artifact, signature))
        assert isinstance(answer, ModelRegistered)
        self._keep(artifact, path)
        return answer.version

    def set_alias(
        self, model_id: str, alias: str, version: str, *, by: str = "", reason: str = ""
    ) -> None:
        """Let an alias such as `champion` point at a version, wherever it pointed before.

        Args:
            model_id: whose alias.
            alias: 1 to 1,000 printable characters, not written like a version.
            version: a version that was not erased.
            by: who asks.
            reason: why, up to 10,000 characters.
        """
        self._asking.ask(self._asked(model_id, version, by, reason).alias(alias))

    def remove_alias(self, model_id: str, alias: str, *, by: str = "", reason: str = "") -> None:
        """Let an alias point at nothing."""
        self._asking.ask(self._asked(model_id, None, by, reason).alias(alias))

    def set_tag(
        self,
        model_id: str,
        name: str,
        value: str,
        *,
        version: str | None = None,
        by: str = "",
        reason: str = "",
    ) -> None:
        """Set a tag of one version, or of the model as a whole, to up to 10,000 characters."""
        self._asking.ask(self._asked(model_id, version, by, reason).tag(name, value))

    def remove_tag(
        self,
        model_id: str,
        name: str,
        *,
        version: str | None = None,
        by: str = "",
        reason: str = "",
    ) -> None:
        """Remove a tag of one version, or of the model as a whole; it need not be there."""
        self._asking.ask(self._asked(model_id, version, by, reason).tag(name, None))

    def archive(
        self, model_id: str, version: str | None = None, *, by: str = "", reason: str = ""
    ) -> None:
        """Take one version or the whole model out of use; nothing is deleted."""
        self._asking.ask(self._asked(model_id, version, by, reason).archive(restore=False))

    def restore(
        self, model_id: str, version: str | None = None, *, by: str = "", reason: str = ""
    ) -> None:
        """Take what was archived back into use: one version, or the model as a whole."""
        self._asking.ask(self._asked(model_id, version, by, reason).archive(restore=True))

    def erase(
        self, model_id: str, version: str | None = None, *, by: str = "", reason: str = ""
    ) -> None:
        """Delete the artifact of one version, or of all that a model has now, for good.

        The facts stay, marked. Bytes that another version of any model has are kept until that is
        erased too. Aliases must be removed first.

        Raises:
            ArtifactStoreUnavailable: the version is erased, but the store does not answer or
                refuses: this client tries again in the background while it lives, and so does
                every later one that reads; `apply_erasures` tries at once.
        """
        self._asking.ask(self._asked(model_id, version, by, reason).erase())
        self.apply_erasures(model_id)

    def close(self) -> None:
        """Stop the background threads; a request that Kafka has not taken stays on disk."""
        self._leftovers.close()
        self._outbox.close()

    def _carry_out(self, view: RegistryView, model_ids: Set[ModelId]) -> None:
        super()._carry_out(view, model_ids)
        if not self._store.on_this_machine:
            # Nobody who only asks should wait for a bucket.
            self._leftovers.owe(model_ids)

    def _require_registered(self, model_id: str, version: str) -> None:
        try:
            found = self.get_model(model_id, version)
        except (Unavailable, SchemaRegistryUnavailable):
            return
        # An alias may point elsewhere tomorrow: it is no parent.
        if found is None or found.version != version:
            raise UnknownModel(
                f"the parent {model_id[:80]!r} {version[:80]!r} is not registered: "
                "see what is with `modeltrail registry list`, or leave the parent out"
            )

    def _asked(self, model_id: str, version: str | None, by: str, reason: str) -> Asked:
        return Asked(model_id, version, by, reason, self._clock)

    def _keep(self, artifact: Artifact, path: str | os.PathLike[str]) -> None:
        # Somebody may have erased the same bytes of another version in between.
        if not self._store.has(artifact.sha256):
            self._store.put(path)
