"""Fetches the Java archives that `maven.lock` names, and trusts them only by their SHA-256."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Lock

from modeltrail.infra.stack.errors import ArtifactMismatch, StackError

LOCK_FILE = Path(__file__).with_name("maven.lock")
_PARALLEL = 8

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Locked:
    """One archive of Maven Central.

    `tree_sha256` is set for a `.tar.gz`, which is unpacked: the hash of what it holds.
    """

    group: str
    artifact: str
    version: str
    sha256: str
    size: int
    classifier: str = ""
    packaging: str = "jar"
    tree_sha256: str = ""

    def file(self, cache: Path) -> Path:
        """Where it lies in the cache, laid out as Maven repositories are."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact}-{self.version}{suffix}.{self.packaging}"
        return cache / Path(*self.group.split("."), self.artifact, self.version, name)

    def tree(self, cache: Path) -> Path:
        """The folder that the archive is unpacked into."""
        return cache / f"{self.artifact}-{self.version}-{self.tree_sha256[:12]}"


def cache_folder() -> Path:
    """The user's cache, shared by all checkouts: `$XDG_CACHE_HOME/modeltrail`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "modeltrail" / "java"


def read_lock() -> dict[str, list[Locked]]:
    """The archives by program: `kafka`, `registry`."""
    content = json.loads(LOCK_FILE.read_text())
    return {program: [Locked(**entry) for entry in entries] for program, entries in content.items()}


def wrong_archives(archives: list[Locked], cache: Path) -> list[Locked]:
    """Those that are missing from the cache or are not what the lock names."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        right = pool.map(lambda archive: _is_right(archive, cache), archives)
        return [archive for archive, good in zip(archives, right, strict=True) if not good]


def fetch(archives: list[Locked], cache: Path, report: Report) -> None:
    """Make the cache hold every archive, whole and verified.

    Raises:
        StackError: Maven Central did not answer.
        ArtifactMismatch: it sent something else than the lock names; nothing of it is kept.
    """
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _exclusive(cache):
        missing = wrong_archives(archives, cache)
        if not missing:
            report(f"{len(archives)} Java archives verified")
            return
        _download(missing, cache, report)
        for archive in missing:
            _accept(archive, cache, report)
        report(f"{len(archives)} Java archives verified, {len(missing)} of them new")


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_sha256_of(folder: Path) -> str:
    """The SHA-256 over the path and SHA-256 of every file under a folder, in order of path."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    return total.hexdigest()


def unpack(archive: Path, into: Path) -> None:
    """Unpack a `.tar.gz`; members that would land elsewhere are refused."""
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")


def _is_right(archive: Locked, cache: Path) -> bool:
    if archive.tree_sha256:
        tree = archive.tree(cache)
        return tree.is_dir() and tree_sha256_of(tree) == archive.tree_sha256
    file = archive.file(cache)
    return file.is_file() and sha256_of(file) == archive.sha256


def _download(archives: list[Locked], cache: Path, report: Report) -> None:
    # Imported here: only a first start pays for it.
    import requests
    from jgo.maven import MavenContext, PythonResolver

    total = sum(archive.size for archive in archives)
    received = 0
    guard = Lock()

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def advance(count: int) -> None:
            nonlocal received
            with guard:
                before, received = received, received + count
                if before * 20 // total != received * 20 // total:
                    report(f"{received >> 20} of {total >> 20} MiB from Maven Central")

        yield advance

    context = MavenContext(resolver=PythonResolver(progress_callback=progress), repo_cache=cache)

    def download(archive: Locked) -> None:
        archive.file(cache).unlink(missing_ok=True)
        component = context.project(archive.group, archive.artifact).at_version(archive.version)
        component.artifact(archive.classifier, archive.packaging).resolve()

    try:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            list(pool.map(download, archives))
    except (requests.RequestException, RuntimeError) as error:
        raise StackError(
            f"Maven Central did not give an archive: {error}. Check the network (and HTTPS_PROXY), "
            "then run `modeltrail up` again: what has arrived is kept"
        ) from error


def _accept(archive: Locked, cache: Path, report: Report) -> None:
    file = archive.file(cache)
    if sha256_of(file) != archive.sha256:
        file.unlink()
        raise ArtifactMismatch(
            f"{file.name} is not what maven.lock names (its SHA-256 differs), and was removed: "
            "run `modeltrail up` again; if it comes back, do not trust this network or mirror"
        )
    if archive.tree_sha256:
        report(f"unpacking {file.name}")
        _unpack_verified(archive, cache)


def _unpack_verified(archive: Locked, cache: Path) -> None:
    tree = archive.tree(cache)
    shutil.rmtree(tree, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".unpack-") as temporary:
        unpacked = Path(temporary) / "tree"
        unpack(archive.file(cache), unpacked)
        if tree_sha256_of(unpacked) != archive.tree_sha256:
            raise ArtifactMismatch(
                f"{archive.file(cache).name} unpacks to other files than maven.lock names: "
                "check the disk, then run `modeltrail up` again"
            )
        unpacked.rename(tree)
    # What runs is the tree; the archive would only double the room it takes.
    archive.file(cache).unlink()


@contextmanager
def _exclusive(cache: Path) -> Iterator[None]:
    with (cache / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
