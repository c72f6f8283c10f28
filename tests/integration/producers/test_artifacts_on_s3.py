"""The artifact store on an S3 server: whole objects, each once, verified, and no credentials."""

import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from modeltrail.producers.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactStoreUnavailable,
    ConfigError,
)
from modeltrail.producers.registry.artifacts import ArtifactStore

SECRET = "a-secret-that-is-none"
CONTENT = b"\x08\x08\x3a\x03\x12\x01x"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server on this machine: its URL."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket that fsspec and the environment are configured for."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": server})
    S3FileSystem.clear_instance_cache()
    name = f"models-{secrets.token_hex(4)}"
    fsspec.filesystem("s3").mkdir(name)
    yield name
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def store(bucket: str, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(f"s3://{bucket}/registry", tmp_path / "cache", largest_mb=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(CONTENT)
    return path


def test_the_same_bytes_are_one_object_that_is_fetched_into_the_cache(
    store: ArtifactStore,
    bucket: str,
    file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        artifact, _ = store.put_model(file)
        assert store.put(file) == artifact

    digest = artifact.sha256.hex()
    assert artifact.uri == f"s3://{bucket}/registry/{digest[:2]}/{digest}"
    assert fsspec.filesystem("s3").find(bucket) == [artifact.uri.removeprefix("s3://")]
    fetched = store.fetch(artifact.sha256, artifact.uri)
    assert fetched == tmp_path / "cache" / digest
    assert fetched.read_bytes() == CONTENT
    store.verify(artifact.sha256, artifact.uri)
    assert SECRET not in caplog.text + artifact.uri


def test_an_object_that_was_exchanged_is_refused_with_both_hashes(
    store: ArtifactStore, file: Path, tmp_path: Path
) -> None:
    artifact = store.put(file)
    fsspec.filesystem("s3").pipe_file(artifact.uri, b"something else")

    with pytest.raises(ArtifactCorrupt, match=f"{artifact.uri} holds .* {artifact.sha256.hex()}"):
        store.fetch(artifact.sha256, artifact.uri)
    assert list((tmp_path / "cache").iterdir()) == []

    store.put(file)
    assert store.fetch(artifact.sha256, artifact.uri).read_bytes() == CONTENT


def test_an_erased_object_is_gone_from_bucket_and_cache(store: ArtifactStore, file: Path) -> None:
    artifact = store.put(file)
    cached = store.fetch(artifact.sha256, artifact.uri)

    store.erase(artifact.sha256, artifact.uri)
    store.erase(artifact.sha256, artifact.uri)

    assert not cached.exists()
    assert not store.has(artifact.sha256)
    with pytest.raises(ArtifactNotFound):
        store.fetch(artifact.sha256, artifact.uri)


def test_a_bucket_that_is_not_there_and_a_url_with_a_password_say_what_to_do(
    bucket: str, file: Path, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactStoreUnavailable, match=r"model_registry\.path") as caught:
        ArtifactStore(f"s3://{bucket}-not", tmp_path / "cache", largest_mb=1).put(file)
    assert SECRET not in str(caught.value)
    with pytest.raises(ConfigError, match="in the environment") as refused:
        ArtifactStore(f"s3://nobody:{SECRET}@{bucket}", tmp_path, largest_mb=1)
    assert SECRET not in str(refused.value)
