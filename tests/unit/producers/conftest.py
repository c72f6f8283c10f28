"""Gives the SDK's unit tests a log, a schema registry and settings that need no server."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.processors.registry.fold import ModelState
from modeltrail.processors.registry.fold import fold as decide
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version
from modeltrail.schemas.topics import REGISTRY, Topic, key_of
from tests.waiting import eventually

# ir_version 8, then a graph with a name and nothing else: the least that an ONNX file has.
ONNX_BYTES = b"\x08\x08\x3a\x03\x12\x01x"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    plain = Settings()
    return replace(
        plain,
        model_registry=replace(
            plain.model_registry, path=str(tmp_path / "artifacts"), answer_timeout_s=10.0
        ),
        experiment_tracking=replace(
            plain.experiment_tracking, spool_path=str(tmp_path / "spool"), spool_max_mb=1
        ),
        stack=replace(plain.stack, data_dir=str(tmp_path / "data")),
    )


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def ids() -> MemorySchemaIds:
    return MemorySchemaIds()


@pytest.fixture
def facts_in(log: MemoryLog, ids: MemorySchemaIds) -> Callable[[Topic], list[Fact]]:
    codec = Codec(ids)

    def read(topic: Topic) -> list[Fact]:
        return [codec.decode(record.value or b"") for record in log.records(topic)]

    return read


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits until a condition holds, and fails when it does not for too long."""
    return eventually


@pytest.fixture
def tracker(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds
) -> Iterator[ExperimentTracker]:
    with ExperimentTracker(settings, log=log, schema_ids=ids) as tracker:
        yield tracker


@pytest.fixture
def registry(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> Iterator[ModelRegistry]:
    registry = ModelRegistry(settings, log=log, schema_ids=ids)
    yield registry
    registry.close()


@pytest.fixture
def registry_worker(log: MemoryLog, ids: MemorySchemaIds) -> Iterator[None]:
    """The real registry fold, answering in a thread."""
    stop = threading.Event()
    codec = Codec(ids)

    def answer() -> None:
        states: dict[bytes, ModelState] = {}
        cursor = log.cursor(REGISTRY, dict.fromkeys(range(4), 0))
        while not stop.is_set():
            if log.away:
                stop.wait(0.01)
                continue
            for record in cursor.poll(0.02):
                key = record.key or b""
                try:
                    fact = codec.decode(record.value or b"")
                except DecodeError:
                    continue
                states[key], answers = decide(states.get(key, ModelState()), fact)
                for made in answers:
                    log.append(REGISTRY, key, codec.encode(made))

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(ONNX_BYTES)
    return path


@pytest.fixture
def model() -> RegisteredModel:
    return RegisteredModel(
        model_id=ModelId("centerface"),
        version=Version("v1.0.0"),
        artifact_uri="file:///nowhere",
        artifact_sha256=Sha256(bytes(32)),
        artifact_size=1,
        metadata={},
        declared_metrics=("queue_depth",),
        requested_by="",
        registered_at=Micros(0),
    )


@pytest.fixture
def model_key() -> bytes:
    return key_of("centerface")
