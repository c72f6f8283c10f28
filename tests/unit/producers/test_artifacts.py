"""The artifact store: named by content, verified at every read."""

import hashlib
import secrets
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from modeltrail.producers.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactTooLarge,
    NotOnnx,
)
from modeltrail.producers.registry.artifacts import ArtifactStore
from modeltrail.schemas.ids import Sha256


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"), tmp_path / "cache", largest_mb=1)


def test_a_file_lies_under_its_sha256(
    store: ArtifactStore, onnx_file: Path, tmp_path: Path
) -> None:
    artifact = store.put(onnx_file)

    digest = hashlib.sha256(onnx_file.read_bytes()).hexdigest()
    assert artifact.sha256.hex() == digest
    assert artifact.size == onnx_file.stat().st_size
    assert artifact.uri == f"file://{tmp_path}/store/{digest[:2]}/{digest}"
    assert store.fetch(artifact.sha256, artifact.uri).read_bytes() == onnx_file.read_bytes()


def test_the_same_bytes_are_stored_once(
    store: ArtifactStore, onnx_file: Path, tmp_path: Path
) -> None:
    first = store.put(onnx_file)
    stored = store.fetch(first.sha256, first.uri)
    written = stored.stat().st_mtime_ns

    again = store.put(onnx_file)

    assert again == first
    assert stored.stat().st_mtime_ns == written
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == [stored]


def test_an_exchanged_artifact_is_noticed_and_restored_by_registering_again(
    store: ArtifactStore, onnx_file: Path
) -> None:
    artifact = store.put(onnx_file)
    stored = store.fetch(artifact.sha256, artifact.uri)
    stored.write_bytes(b"\x08\x08\x3a\x03\x12\x01y")

    with pytest.raises(ArtifactCorrupt, match="register the original file again"):
        store.fetch(artifact.sha256, artifact.uri)

    store.put(onnx_file)
    assert store.fetch(artifact.sha256, artifact.uri).read_bytes() == onnx_file.read_bytes()


def test_a_missing_file_says_so(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="no readable file"):
        store.put(tmp_path / "nothing.onnx")


def test_a_folder_is_no_model_file(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound):
        store.put(tmp_path)


def test_an_artifact_that_is_gone_says_so(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactNotFound):
        store.fetch(Sha256(bytes(32)), "file:///nowhere/at/all")


def test_a_file_above_the_limit_is_refused_before_it_is_copied(
    store: ArtifactStore, tmp_path: Path
) -> None:
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(2 * 1024 * 1024)

    with pytest.raises(ArtifactTooLarge, match="max_artifact_mb"):
        store.put(large)
    assert not (tmp_path / "store").exists()


def test_what_is_not_onnx_leaves_nothing_behind(store: ArtifactStore, tmp_path: Path) -> None:
    text = tmp_path / "model.onnx"
    text.write_text("just text")

    with pytest.raises(NotOnnx):
        store.put_model(text)
    assert not (tmp_path / "store").exists()


class TestOnAnObjectStore:
    @pytest.fixture
    def root(self) -> str:
        return f"memory://{secrets.token_hex(8)}"

    @pytest.fixture
    def remote(self, root: str, tmp_path: Path) -> ArtifactStore:
        return ArtifactStore(root, tmp_path / "cache", largest_mb=1)

    def test_artifacts_are_fetched_into_the_cache(
        self, remote: ArtifactStore, onnx_file: Path, tmp_path: Path
    ) -> None:
        artifact = remote.put(onnx_file)

        fetched = remote.fetch(artifact.sha256, artifact.uri)

        assert fetched == tmp_path / "cache" / artifact.sha256.hex()
        assert fetched.read_bytes() == onnx_file.read_bytes()

    def test_a_broken_cache_is_fetched_again(self, remote: ArtifactStore, onnx_file: Path) -> None:
        artifact = remote.put(onnx_file)
        remote.fetch(artifact.sha256, artifact.uri).write_bytes(b"half a mod")

        fetched = remote.fetch(artifact.sha256, artifact.uri)

        assert fetched.read_bytes() == onnx_file.read_bytes()

    @pytest.mark.parametrize("meanwhile", ["replaced", "deleted"])
    def test_a_file_that_is_another_by_the_time_it_is_sent_is_not_stored(
        self,
        remote: ArtifactStore,
        onnx_file: Path,
        monkeypatch: pytest.MonkeyPatch,
        meanwhile: str,
    ) -> None:
        # Given a trainer that saves a better epoch between the hash and the upload
        sent = MemoryFileSystem.put_file

        def send(files: MemoryFileSystem, source: str, path: str, **options: object) -> None:
            better = onnx_file.with_suffix(".new")
            better.write_bytes(b"a better epoch")
            better.replace(onnx_file)
            sent(files, source, path, **options)
            if meanwhile == "deleted":
                onnx_file.unlink()

        digest = Sha256(hashlib.sha256(onnx_file.read_bytes()).digest())
        with monkeypatch.context() as patched:
            patched.setattr(MemoryFileSystem, "put_file", send)

            # When the first is stored
            with pytest.raises(ArtifactCorrupt, match="changed while it was stored"):
                remote.put(onnx_file)

        # Then nothing lies under its name
        assert not remote.has(digest)

    def test_other_bytes_in_the_store_never_reach_the_cache(
        self, remote: ArtifactStore, onnx_file: Path, tmp_path: Path
    ) -> None:
        artifact = remote.put(onnx_file)
        with fsspec.open(artifact.uri, "wb") as file:
            file.write(b"\x08\x08\x3a\x03\x12\x01y")

        with pytest.raises(ArtifactCorrupt):
            remote.fetch(artifact.sha256, artifact.uri)
        assert list((tmp_path / "cache").iterdir()) == []
