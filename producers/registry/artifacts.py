"""Stores model files under the SHA-256 of their content, on anything that fsspec reaches."""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from modeltrail.producers.errors import ArtifactCorrupt, ArtifactNotFound, ArtifactTooLarge
from modeltrail.producers.registry.onnx_file import require_onnx
from modeltrail.schemas.ids import Sha256

_CHUNK = 1024 * 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored file: where it is, and what it holds."""

    uri: str
    sha256: Sha256
    size: int


class ArtifactStore:
    """Files at `root/ab/abcdef…`, named by content: written once, verified at every read."""

    def __init__(self, root: str, cache: Path, *, largest_mb: int) -> None:
        """Prepare.

        Args:
            root: a folder or any fsspec URL.
            cache: a local folder for files fetched from elsewhere.
            largest_mb: the largest file that is taken, MiB.
        """
        self._root = root
        self._cache = cache
        self._largest = largest_mb * _MIB

    def put(self, path: str | os.PathLike[str]) -> Artifact:
        """Store an ONNX file; the same bytes are stored once.

        Raises:
            ArtifactNotFound: no readable file at `path`.
            ArtifactTooLarge: above the limit.
            NotOnnx: the file is not an ONNX model.
            OSError: the store cannot be written.
        """
        source = Path(path)
        with _open(source) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._largest:
                raise ArtifactTooLarge(
                    f"{source} has {size / _MIB:,.1f} MiB, {self._largest // _MIB:,} are allowed: "
                    "raise model_registry.max_artifact_mb, or register a smaller model"
                )
            require_onnx(file, size, str(source))
            file.seek(0)
            digest = _copy(file, _discard)
            filesystem, target = self._place(digest)
            if not _holds(filesystem, target, size, digest):
                file.seek(0)
                self._write(filesystem, target, file, digest, source)
        return Artifact(str(filesystem.unstrip_protocol(target)), Sha256(digest), size)

    def fetch(self, sha256: Sha256, uri: str) -> Path:
        """A local, verified file with these bytes; taken from this store, or else from `uri`.

        Raises:
            ArtifactNotFound: neither place has it.
            ArtifactCorrupt: a file is there, with other bytes.
        """
        filesystem, target = self._place(sha256)
        if not filesystem.exists(target):
            filesystem, target = fsspec.core.url_to_fs(uri)
        if isinstance(filesystem, LocalFileSystem):
            return _verified(Path(target), sha256)
        cached = self._cache / sha256.hex()
        if cached.exists() and _hash(cached) == sha256:
            return cached
        _download(filesystem, target, cached, sha256)
        return cached

    def _place(self, digest: bytes) -> tuple[Any, str]:
        name = digest.hex()
        filesystem, root = fsspec.core.url_to_fs(self._root)
        return filesystem, f"{root.rstrip('/')}/{name[:2]}/{name}"

    def _write(
        self, filesystem: Any, target: str, file: BinaryIO, digest: bytes, source: Path
    ) -> None:
        folder = target.rpartition("/")[0]
        filesystem.makedirs(folder, exist_ok=True)
        # A reader must never see half a file: object stores put whole objects, others rename.
        partial = f"{target}.{secrets.token_hex(4)}.partial"
        try:
            with filesystem.open(partial, "wb") as out:
                written = _copy(file, out.write)
            if written != digest:
                raise ArtifactCorrupt(f"{source} changed while it was stored: call again")
            filesystem.mv(partial, target)
        except BaseException:
            if filesystem.exists(partial):
                filesystem.rm(partial)
            raise


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArtifactNotFound(f"no readable model file at {path}: {error.strerror}") from error


def _copy(file: BinaryIO, write: Callable[[bytes], object]) -> bytes:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        write(chunk)
    return digest.digest()


def _discard(chunk: bytes) -> None:
    del chunk


def _holds(filesystem: Any, target: str, size: int, digest: bytes) -> bool:
    if not filesystem.exists(target) or filesystem.size(target) != size:
        return False
    with filesystem.open(target, "rb") as file:
        return _copy(file, _discard) == digest


def _hash(path: Path) -> bytes:
    with _open(path) as file:
        return _copy(file, _discard)


def _verified(path: Path, sha256: Sha256) -> Path:
    found = _hash(path)
    if found != sha256:
        raise ArtifactCorrupt(
            f"{path} holds {found.hex()}, not the registered {sha256.hex()}: "
            "register the original file again to restore it"
        )
    return path


def _download(filesystem: Any, target: str, cached: Path, sha256: Sha256) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(f".{secrets.token_hex(4)}.partial")
    try:
        with filesystem.open(target, "rb") as file, partial.open("wb") as out:
            _copy(file, out.write)
        _verified(partial, sha256)
        partial.replace(cached)
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no artifact at {target}: restore the artifact store") from error
    finally:
        partial.unlink(missing_ok=True)
