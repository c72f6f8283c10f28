"""Composes the part of `modeltrail worker jobs` that assesses versions."""

import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.jobs import Desk, run_jobs
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.job import AssessmentJob, Registration
from modeltrail.producers.errors import UnknownModel
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.producers.registry.reader import RegistryReader
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import ModelId, Version
from modeltrail.schemas.topics import ETHICS

_GROUP = "assessments"
_log = logging.getLogger(__name__)


def run_assessments(
    settings: Settings, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    """Answer requests for assessments until `stop` is set.

    Raises:
        ConfigError: a server is not configured.
    """
    if find_spec("fairlearn") is None:
        _log.warning(
            "assessments wait for a worker that can make them: pip install modeltrail[ethics]"
        )
        on_ready()
        stop.wait()
        return
    reader = RegistryReader(settings)
    store = open_artifact_store(settings)

    def find(model_id: ModelId, version: Version) -> Registration:
        model = reader.get_model(model_id, version)
        if model is None or model.version != version:
            raise UnknownModel(f"{model_id!r:.80} {version} is not registered: register it first")
        return Registration(_record(model), lambda: reader.fetch_artifact(model))

    def keep(name: str, png: bytes) -> str:
        with tempfile.TemporaryDirectory(prefix="modeltrail-map-") as folder:
            path = Path(folder) / f"{name}.png"
            path.write_bytes(png)
            return store.put(path).uri

    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    job = AssessmentJob(find, store.fetch, keep, SystemClock())
    run_jobs(settings.kafka, codec, Desk(_GROUP, ETHICS, ETHICS, (job,)), stop, on_ready)


def _record(model: RegisteredModel) -> ModelRecord:
    lineage = {name: value for name, value in asdict(model.lineage).items() if value}
    return ModelRecord(
        metadata=dict(model.metadata),
        lineage=lineage,
        inputs=tuple(each.name for each in model.tensors if each.is_input),
        outputs=tuple(each.name for each in model.tensors if not each.is_input),
    )
