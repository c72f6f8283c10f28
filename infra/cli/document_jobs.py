"""Makes documents in the worker `jobs`: those that people ask for, those that events call for."""

import threading
from collections.abc import Callable
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.infra.jobs import Desk, run_jobs
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.documents.automation import run_automation
from modeltrail.processors.documents.job import DocumentJob
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import Sha256
from modeltrail.schemas.topics import DOCUMENTS

_GROUP = "documents"


def run_documents(settings: Settings, stop: threading.Event, on_ready: Callable[[], None]) -> None:
    """Answer requests for documents until `stop` is set.

    Raises:
        ConfigError: a server is not configured.
    """
    store = open_artifact_store(settings)

    def keep(path: Path) -> tuple[str, Sha256]:
        kept = store.put(path)
        return kept.uri, kept.sha256

    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    desk = Desk(_GROUP, DOCUMENTS, DOCUMENTS, [DocumentJob(settings, codec, keep)])
    run_jobs(settings.kafka, codec, desk, stop, on_ready)


def ask_for_documents(
    settings: Settings, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    """Ask for the documents that events call for, where `documents.automatic` says so.

    Raises:
        ConfigError: a server is not configured.
    """
    on_ready()
    if not settings.documents.automatic:
        stop.wait()
        return
    run_automation(settings.kafka, Codec(ConfluentSchemaIds(settings.schema_registry)), stop)
