"""Stores files under the SHA-256 of their content: each once, verified at every load."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import ArtifactNotFound, ArtifactTooLarge
from modeltrail.producers.registry.onnx_file import Signature, read_signature
from modeltrail.producers.registry.places import Place, copy, refuse_password, require_same
from modeltrail.schemas.ids import Sha256

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored file: where it is, and what it holds."""

    uri: str
    sha256: Sha256
    size: int


class ArtifactStore:
    """Files at `root/ab/abcdef…`, named by content: written once, verified at every read.

    Every method may raise `ArtifactStoreUnavailable`: the store does not answer or refuses.
    """

    def __init__(self, root: str, cache: Path, *, largest_mb: int) -> None:
        """Prepare.

        Args:
            root: a folder or any fsspec URL, such as `s3://bucket/models`.
            cache: a local folder for files fetched from elsewhere.
            largest_mb: the largest file that is taken, MiB.

        Raises:
            ConfigError: the URL holds a password.
        """
        refuse_password(root)
        self._root = root.rstrip("/")
        self._cache = cache
        self._largest = largest_mb * _MIB

    def put(self, path: str | os.PathLike[str]) -> Artifact:
        """Store a file; the same bytes are stored once.

        Raises:
            ArtifactNotFound: no readable file at `path`.
            ArtifactTooLarge: above the limit.
            ArtifactCorrupt: it changed meanwhile.
        """
        source = Path(path)
        with self._opened(source) as (file, size):
            return self._keep(file, size, source)

    def put_model(self, path: str | os.PathLike[str]) -> tuple[Artifact, Signature]:
        """Store an ONNX file, and say what it takes and gives.

        Raises:
            NotOnnx: the file is not an ONNX model.
            ModeltrailError: as `put`.
        """
        source = Path(path)
        with self._opened(source) as (file, size):
            signature = read_signature(file, size, str(source))
            return self._keep(file, size, source), signature

    def fetch(self, sha256: Sha256, uri: str) -> Path:
        """A local, verified file with these bytes; taken from this store, or else from `uri`.

        Raises:
            ArtifactNotFound: neither place has it.
            ArtifactCorrupt: a file is there, with other bytes.
        """
        cached = self._cached(sha256)
        if cached.exists() and _hash(cached) == sha256:
            return cached
        place = self._find(sha256, uri)
        if place.local is None:
            place.download(cached, sha256)
            return cached
        require_same(_hash(place.local), sha256, str(place.local))
        return place.local

    def verify(self, sha256: Sha256, uri: str) -> None:
        """Read the stored file, not the cache, and compare; errors as in `fetch`."""
        self._find(sha256, uri).require(sha256)

    def has(self, sha256: Sha256) -> bool:
        """Whether this store has a file of that name; its content is not read."""
        return self._place(sha256).exists()

    def erase(self, sha256: Sha256, uri: str = "") -> None:
        """Delete these bytes here, in the cache, and at `uri` if that is a place of this kind."""
        self.forget(sha256)
        self._place(sha256).remove()
        # An address is what somebody wrote: nothing is deleted that is not named by its content.
        if uri.rpartition("/")[2] == sha256.hex():
            Place(uri).remove()

    @property
    def on_this_machine(self) -> bool:
        """Whether the store is a folder here: asking it costs next to nothing."""
        return Place(self._root).local is not None

    def forget(self, sha256: Sha256) -> None:
        """Delete these bytes in the cache of this machine."""
        self._cached(sha256).unlink(missing_ok=True)

    def _keep(self, file: BinaryIO, size: int, source: Path) -> Artifact:
        file.seek(0)
        digest = Sha256(copy(file))
        place = self._place(digest)
        if not place.holds(digest, size):
            place.write(file, digest, source)
        return Artifact(place.uri, digest, size)

    def _find(self, sha256: Sha256, uri: str) -> Place:
        place = self._place(sha256)
        return place if place.exists() or not uri else Place(uri)

    def _place(self, sha256: Sha256) -> Place:
        name = sha256.hex()
        return Place(f"{self._root}/{name[:2]}/{name}")

    def _cached(self, sha256: Sha256) -> Path:
        return self._cache / sha256.hex()

    @contextmanager
    def _opened(self, source: Path) -> Iterator[tuple[BinaryIO, int]]:
        with _open(source) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._largest:
                raise ArtifactTooLarge(
                    f"{source} has {size / _MIB:,.1f} MiB, {self._largest // _MIB:,} are allowed: "
                    "raise model_registry.max_artifact_mb, or store a smaller file"
                )
            yield file, size


def open_artifact_store(settings: Settings) -> ArtifactStore:
    """The configured artifact store.

    Raises:
        ConfigError: its URL holds a password.
    """
    return ArtifactStore(
        settings.model_registry.path,
        Path(settings.stack.data_dir) / "artifact-cache",
        largest_mb=settings.model_registry.max_artifact_mb,
    )


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArtifactNotFound(f"no readable file at {path}: {error.strerror}") from error


def _hash(path: Path) -> bytes:
    with _open(path) as file:
        return copy(file)
