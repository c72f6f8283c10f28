"""The registry as a training job sees it: register a model file, find and fetch versions."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.errors import RegistrationRejected, RegistrationTimeout
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.per_process import PerProcess
from modeltrail.producers.registry.answers import end_of_partition, wait_for_answer
from modeltrail.producers.registry.artifacts import ArtifactStore
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.producers.registry.request import registration_request
from modeltrail.producers.registry.view import RegistryView
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.events import ModelRegistrationRejected, ModelRegistrationRequested
from modeltrail.schemas.ids import ModelId, Version
from modeltrail.schemas.topics import REGISTRY, key_of


class ModelRegistry:
    """Registers ONNX models and reads what is registered; safe to share between threads.

    Reads come from the log itself: what `register_model` returned is there for every later
    `get_model`, in every process. A forked child makes connections of its own.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            clock: None is the machine's.

        Raises:
            ConfigError: no Kafka or schema registry is configured.
        """
        self._settings = settings or load_settings()
        self._log = log or KafkaLog(self._settings.kafka)
        self._clock = clock or SystemClock()
        self._store = open_artifact_store(self._settings)

        def ids() -> SchemaIds:
            return schema_ids or ConfluentSchemaIds(self._settings.schema_registry)

        ids()
        self._codec = PerProcess(lambda: Codec(ids()))
        self._view = PerProcess(lambda: RegistryView(self._log, self._codec.get()))
        self._outbox = Outbox(self._settings.experiment_tracking, self._log, ids)

    def register_model(
        self,
        model_id: str,
        path: str | os.PathLike[str],
        metadata: Mapping[str, Any] | None = None,
        *,
        declared_metrics: Sequence[str] = (),
        bump: str = "major",
        requested_by: str = "",
    ) -> Version:
        """Store an ONNX file, ask for a version, and wait for the registry's answer.

        The same bytes registered again for the same model give the same version.

        Args:
            model_id: the model's name, 1 to 1,000 printable characters.
            path: the ONNX file.
            metadata: anything JSON can hold.
            declared_metrics: up to 32 names of extra metrics that nodes may measure.
            bump: "major", "minor" or "patch": the part of the version that is raised.
            requested_by: who asks.

        Raises:
            ArtifactNotFound: no readable file at `path`.
            NotOnnx: it is not an ONNX model.
            ArtifactTooLarge: above `model_registry.max_artifact_mb`.
            InvalidFact: a name, the metadata or the bump may not become a fact.
            RegistrationRejected: the registry refused; the error has its reason.
            RegistrationTimeout: no answer within `model_registry.answer_timeout_s`. The request
                is kept; calling again is safe.
        """
        # Checked before gigabytes are copied.
        request = registration_request(
            model_id, metadata, declared_metrics, bump, requested_by, self._clock
        )
        artifact = self._store.put(path)
        return self._ask(request(artifact))

    def get_model(self, model_id: str, version: str | None = None) -> RegisteredModel | None:
        """One version of a model, the latest by default; None if it is not registered.

        Raises:
            Unavailable: Kafka or the schema registry does not answer.
        """
        view = self._view.get()
        view.refresh()
        history = view.history(model_id)
        return history.latest if version is None else history.find(version)

    def list_models(self) -> list[ModelId]:
        """The ids of all registered models, sorted.

        Raises:
            Unavailable: Kafka or the schema registry does not answer.
        """
        view = self._view.get()
        view.refresh()
        return view.model_ids()

    def fetch_artifact(self, model: RegisteredModel) -> Path:
        """The model's file, local and verified against its SHA-256.

        Raises:
            ArtifactNotFound: the store no longer has it.
            ArtifactCorrupt: the store has other bytes.
        """
        return self._store.fetch(model.artifact_sha256, model.artifact_uri)

    def close(self) -> None:
        """Stop the background thread; a request that Kafka has not taken stays on disk."""
        self._outbox.close()

    def _ask(self, request: ModelRegistrationRequested) -> Version:
        timeout_s = self._settings.model_registry.answer_timeout_s
        deadline = self._clock.monotonic() + timeout_s
        key = key_of(request.model_id)
        start = self._end_before(key)
        self._outbox.put(REGISTRY, key, request)
        if not self._outbox.flush(timeout_s):
            raise RegistrationTimeout(
                f"Kafka did not take the registration of {request.model_id!r} in {timeout_s:g} s: "
                "check `modeltrail status`. The request is on disk and will be sent; calling again "
                "with the same file is safe"
            )
        answer = wait_for_answer(
            self._log,
            self._codec.get(),
            start or (end_of_partition(self._log, key)[0], 0),
            request.event_id,
            deadline - self._clock.monotonic(),
            self._clock,
        )
        if answer is None:
            raise RegistrationTimeout(
                f"no answer about {request.model_id!r} in {timeout_s:g} s: check with `modeltrail "
                "status` that the registry worker runs. Calling again with the same file is safe"
            )
        if isinstance(answer, ModelRegistrationRejected):
            raise RegistrationRejected(answer.reason, answer.detail)
        return answer.version

    def _end_before(self, key: bytes) -> tuple[int, int] | None:
        try:
            return end_of_partition(self._log, key)
        except Unavailable:
            # Kafka may come back while the request waits in the spool.
            return None


def open_artifact_store(settings: Settings) -> ArtifactStore:
    """The configured artifact store."""
    return ArtifactStore(
        settings.model_registry.path,
        Path(settings.stack.data_dir) / "artifact-cache",
        largest_mb=settings.model_registry.max_artifact_mb,
    )
