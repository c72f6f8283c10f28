"""What an erasure left in a bucket that did not answer goes once it answers, unasked."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import ArtifactStoreUnavailable
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.registry import client
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.leftovers import Leftovers
from modeltrail.schemas.ids import ModelId

Wait = Callable[[Callable[[], object]], None]
RETRY_S = 0.02


@pytest.fixture
def bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A registry whose artifacts lie in an object store, and that does not wait long."""
    monkeypatch.setattr(client, "LEFTOVERS_RETRY_S", RETRY_S)
    root = f"memory://{secrets.token_hex(8)}"
    return replace(settings, model_registry=replace(settings.model_registry, path=root))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While this is set, deleting in the object store times out."""
    times_out = threading.Event()
    remove = MemoryFileSystem.rm_file

    def rm_file(files: MemoryFileSystem, path: str) -> None:
        if times_out.is_set():
            raise TimeoutError("no answer")
        remove(files, path)

    monkeypatch.setattr(MemoryFileSystem, "rm_file", rm_file)
    return times_out


@pytest.fixture
def opened(
    bucket: Settings, log: MemoryLog, ids: MemorySchemaIds
) -> Iterator[Callable[[], ModelRegistry]]:
    """Opens a registry, as another process would."""
    registries: list[ModelRegistry] = []

    def open_one() -> ModelRegistry:
        registries.append(ModelRegistry(bucket, log=log, schema_ids=ids))
        return registries[-1]

    yield open_one
    for registry in registries:
        registry.close()


def erased_in_vain(registry: ModelRegistry, file: Path, silent: threading.Event) -> str:
    """Register a file and erase it while the store is silent; where its bytes still are."""
    registry.register_model("m", file)
    uri = registry.versions("m")[0].artifact_uri
    silent.set()
    with pytest.raises(ArtifactStoreUnavailable):
        registry.erase("m")
    return uri


def is_stored(uri: str) -> bool:
    return bool(fsspec.filesystem("memory").exists(uri))


@pytest.mark.usefixtures("registry_worker")
def test_what_could_not_be_deleted_is_deleted_once_the_store_answers(
    opened: Callable[[], ModelRegistry],
    silent: threading.Event,
    onnx_file: Path,
    wait_until: Wait,
) -> None:
    # given an erasure whose deletion times out
    registry = opened()
    uri = erased_in_vain(registry, onnx_file, silent)
    assert is_stored(uri)

    # when the store answers again
    silent.clear()

    # then the bytes go, though nobody asks
    wait_until(lambda: not is_stored(uri))


@pytest.mark.usefixtures("registry_worker")
def test_a_later_client_deletes_what_one_left_that_is_gone(
    opened: Callable[[], ModelRegistry],
    silent: threading.Event,
    onnx_file: Path,
    wait_until: Wait,
) -> None:
    # given a client that ended before the store answered
    registry = opened()
    uri = erased_in_vain(registry, onnx_file, silent)
    registry.close()
    silent.clear()
    assert is_stored(uri)

    # when another one reads the log
    opened().list_models()

    wait_until(lambda: not is_stored(uri))


def test_every_model_is_tried_until_it_is_done_and_then_no_more(
    wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    # given one model whose deletion fails twice, in two ways
    tried: list[ModelId] = []
    failures = [Unavailable("Kafka is away"), ValueError("a client's own error")]

    def delete(model_id: ModelId) -> None:
        tried.append(model_id)
        if model_id == "stubborn" and failures:
            raise failures.pop()

    leftovers = Leftovers(delete, RETRY_S)
    with caplog.at_level(logging.WARNING):
        leftovers.owe({ModelId("stubborn"), ModelId("easy")})
        wait_until(lambda: tried.count(ModelId("stubborn")) == 3)

    # then the other one was tried once, and both errors are told
    wait_until(lambda: not is_sweeping())
    assert tried.count(ModelId("easy")) == 1
    assert len(caplog.records) == 2

    # and what is owed later starts again
    leftovers.owe({ModelId("easy")})
    wait_until(lambda: tried.count(ModelId("easy")) == 2)
    leftovers.close()


def is_sweeping() -> bool:
    return any(thread.name == "modeltrail-leftovers" for thread in threading.enumerate())
