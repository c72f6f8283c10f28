"""Composes `modeltrail worker jobs`: validations, benchmarks, trials, assessments, documents.

What needs ONNX or tables runs in processes of its own, so this one stays small.
"""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from modeltrail.infra.cli.document_jobs import ask_for_documents, run_documents
from modeltrail.infra.cli.ethics_jobs import run_assessments
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.jobs import Desk, run_jobs
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.trials.run import run_trials
from modeltrail.processors.validation.job import ValidationJob
from modeltrail.processors.validation.validating import Subject
from modeltrail.producers.benchmarking.job import BenchmarkJob
from modeltrail.producers.errors import UnknownModel
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.producers.registry.reader import RegistryReader
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import ModelId, Version
from modeltrail.schemas.topics import DEPLOYMENTS, WORK

_GROUP = "jobs"
Part = Callable[[Settings, threading.Event, Callable[[], None]], None]
"""Runs until the event is set; calls back once, when it is at work."""


def run_jobs_worker(
    settings: Settings, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    """Work until `stop` is set; a fault in one part ends all, so that it is seen.

    Args:
        settings: where the servers and the artifacts are.
        stop: ends the run.
        on_ready: called once, when every part is at work.

    Raises:
        ConfigError: a server is not configured.
    """
    parts: tuple[Part, ...] = (
        _answer_requests,
        run_trials,
        run_assessments,
        run_documents,
        ask_for_documents,
    )
    countdown = _Countdown(len(parts), on_ready)
    with ThreadPoolExecutor(len(parts), thread_name_prefix="part") as pool:
        running = [pool.submit(part, settings, stop, countdown.count) for part in parts]
        wait(running, return_when=FIRST_COMPLETED)
        stop.set()
    for each in running:
        each.result()


def _answer_requests(
    settings: Settings, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    """Validate and measure, one request at a time: what is measured wants the machine to itself."""
    reader = RegistryReader(settings)
    store = open_artifact_store(settings)
    clock = SystemClock()

    def find(model_id: ModelId, version: Version) -> RegisteredModel:
        model = reader.get_model(model_id, version)
        if model is None:
            raise UnknownModel(f"{model_id!r:.80} {version} is not registered: register it first")
        return model

    def subject(model_id: ModelId, version: Version) -> Subject:
        model = find(model_id, version)
        file = reader.fetch_artifact(model)
        return Subject(file, model.artifact_sha256, model.tensors, model.opsets)

    jobs = (
        ValidationJob(subject, store.fetch, clock),
        BenchmarkJob(lambda *which: reader.fetch_artifact(find(*which)), clock),
    )
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    desk = Desk(_GROUP, WORK, DEPLOYMENTS, jobs)
    run_jobs(settings.kafka, codec, desk, stop, on_ready)


class _Countdown:
    """Calls `on_zero` when it was counted `count` times."""

    def __init__(self, count: int, on_zero: Callable[[], None]) -> None:
        self._left = count
        self._on_zero = on_zero
        self._lock = threading.Lock()

    def count(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._on_zero()
