"""Reads and writes one file named by its content, wherever fsspec reaches: a folder, a bucket."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from modeltrail.producers.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactStoreUnavailable,
    ConfigError,
    ModeltrailError,
)
from modeltrail.schemas.ids import Sha256

_CHUNK = 1024 * 1024
#: These show an object once it is whole, and have no rename, only a copy.
_OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"))


class Place:
    """A file at a URL; where it lies under another name it is written whole or not at all."""

    def __init__(self, url: str) -> None:
        """Find the file system; nothing is read yet.

        Raises:
            ConfigError: no file system of that kind is installed, or the URL holds a password.
        """
        refuse_password(url)
        try:
            self._files, self._path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"no file system for {url.split(':')[0]!r:.80}: correct model_registry.path, "
                "or install what it needs; for s3:// that is modeltrail[s3]"
            ) from error
        self.uri = str(self._files.unstrip_protocol(self._path))

    @property
    def local(self) -> Path | None:
        """The path on this machine; None where it has none."""
        return Path(self._path) if isinstance(self._files, LocalFileSystem) else None

    def exists(self) -> bool:
        """Whether a file is there."""
        with self._errors():
            return bool(self._files.exists(self._path))

    def holds(self, digest: bytes, size: int) -> bool:
        """Whether the file is there, with these bytes."""
        with self._errors():
            if not self._files.exists(self._path) or self._files.size(self._path) != size:
                return False
            return self._digest() == digest

    def require(self, sha256: Sha256) -> None:
        """Read the file and compare.

        Raises:
            ArtifactNotFound: it is not there.
            ArtifactCorrupt: it has other bytes.
        """
        with self._errors():
            found = self._digest()
        require_same(found, sha256, self.uri)

    def write(self, file: BinaryIO, digest: bytes, source: Path) -> None:
        """Write what `file`, opened from `source`, holds from its start.

        Raises:
            ArtifactCorrupt: it does not have `digest` any more.
        """
        with self._errors(reading=False):
            if _OBJECT_STORES.isdisjoint(_protocols(self._files)):
                self._write_beside(file, digest, source)
            else:
                self._files.put_file(str(source), self._path)
                file.seek(0)
                # It opened the path anew, which may lead to another file by now.
                unchanged = copy(file) == digest and _leads_to(source, file)
                self._require_unchanged(unchanged, source, self._path)

    def download(self, cached: Path, sha256: Sha256) -> None:
        """Bring the file to `cached`, which never holds anything else.

        Raises:
            ArtifactNotFound: it is not there.
            ArtifactCorrupt: it has other bytes.
        """
        cached.parent.mkdir(parents=True, exist_ok=True)
        partial = cached.with_suffix(f".{secrets.token_hex(4)}.partial")
        try:
            with (
                self._errors(),
                self._files.open(self._path, "rb") as file,
                partial.open("wb") as out,
            ):
                found = copy(file, out.write)
            require_same(found, sha256, self.uri)
            partial.replace(cached)
        finally:
            partial.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the file, if it is there."""
        with self._errors():
            if self._files.exists(self._path):
                # Somebody else may delete the same in between.
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._path)

    def _write_beside(self, file: BinaryIO, digest: bytes, source: Path) -> None:
        # A reader must never see half a file.
        self._files.makedirs(self._path.rpartition("/")[0], exist_ok=True)
        partial = f"{self._path}.{secrets.token_hex(4)}.partial"
        try:
            file.seek(0)
            with self._files.open(partial, "wb") as out:
                written = copy(file, out.write)
            self._require_unchanged(written == digest, source, partial)
            self._files.mv(partial, self._path)
        except BaseException:
            if self._files.exists(partial):
                self._files.rm_file(partial)
            raise

    def _require_unchanged(self, unchanged: bool, source: Path, written: str) -> None:
        if not unchanged:
            self._files.rm_file(written)
            raise ArtifactCorrupt(f"{source} changed while it was stored: call again")

    def _digest(self) -> bytes:
        with self._files.open(self._path, "rb") as file:
            return copy(file)

    @contextmanager
    def _errors(self, *, reading: bool = True) -> Iterator[None]:
        try:
            yield
        except ModeltrailError:
            raise
        except Exception as error:
            if reading and isinstance(error, FileNotFoundError):
                raise ArtifactNotFound(
                    f"no artifact at {self.uri}: restore the artifact store"
                ) from error
            # Clients of object stores raise errors of their own, which are no OSError.
            raise ArtifactStoreUnavailable(
                f"{self.uri} cannot be reached ({type(error).__name__}: {error!s:.300}): check "
                "model_registry.path, and the credentials in the environment"
            ) from error


def refuse_password(url: str) -> None:
    """Refuse a URL with a password: it would be written into facts and logs.

    Raises:
        ConfigError: it has one.
    """
    if urlsplit(url).password is not None:
        raise ConfigError(
            "the artifact store's URL holds a password: leave it out, and give credentials in the "
            "environment or in fsspec's configuration"
        )


def copy(file: BinaryIO, write: Callable[[bytes], object] | None = None) -> bytes:
    """The SHA-256 of the rest of `file`, which is handed to `write` in pieces."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        if write is not None:
            write(chunk)
    return digest.digest()


def require_same(found: bytes, registered: Sha256, where: str) -> None:
    """Compare two SHA-256.

    Raises:
        ArtifactCorrupt: they differ.
    """
    if found != registered:
        raise ArtifactCorrupt(
            f"{where} holds {found.hex()}, not the registered {registered.hex()}: "
            "register the original file again to restore it"
        )


def _leads_to(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _protocols(files: Any) -> tuple[str, ...]:
    named = files.protocol
    return (named,) if isinstance(named, str) else tuple(named)
