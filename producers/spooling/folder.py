"""Answers who owns which folder of a spool: processes share it, and heirs find the dead."""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LOG = logging.getLogger(__name__)
SEGMENT_SUFFIX = ".segment"
_LOCK_SUFFIX = ".lock"
_DESTINATION = "destination"
SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """A folder of segments whose lock file this process holds; the lock dies with its holder."""

    path: Path
    lock: int

    def segment_paths(self) -> list[Path]:
        """The segment files, oldest first."""
        return sorted(self.path.glob(f"*{SEGMENT_SUFFIX}"))

    def destination(self) -> str:
        """Where its facts go; empty: an earlier version made it, which did not say."""
        try:
            return (self.path / _DESTINATION).read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""

    def release(self) -> None:
        """Give the folder up; one without facts is removed."""
        try:
            if {path.name for path in self.path.iterdir()} <= {_DESTINATION}:
                (self.path / _DESTINATION).unlink(missing_ok=True)
                self.path.rmdir()
                _lock_path(self.path).unlink(missing_ok=True)
        finally:
            os.close(self.lock)

    def forget(self) -> None:
        """Close our copy of the lock and touch nothing; a parent that forked us keeps its own."""
        os.close(self.lock)


def claim_new(root: Path, destination: str) -> SpoolFolder:
    """A new folder below `root` for facts that go to `destination`.

    Raises:
        OSError: the folder cannot be created.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / secrets.token_hex(8)
    # Locked before the folder exists, so that nobody takes a new folder for an abandoned one.
    lock = _try_lock(_lock_path(path))
    assert lock is not None
    folder = SpoolFolder(path, lock)
    try:
        path.mkdir()
        (path / _DESTINATION).write_text(f"{destination}\n", "utf-8")
    except BaseException:
        folder.forget()
        raise
    return folder


def claim_abandoned(root: Path, destination: str) -> Iterator[SpoolFolder]:
    """Every folder below `root` for `destination` whose owner is gone, oldest first.

    What cannot be opened is left alone with a warning, as another account's is.
    """
    folders = [path for path in root.iterdir() if path.is_dir() and path.name != SET_ASIDE]
    for path in sorted(folders, key=_age):
        try:
            folder = _claim(path, destination)
        except OSError as error:
            _LOG.warning(
                "the facts in %s cannot be taken over (%s): the account that spooled them sends "
                "them; give each account an experiment_tracking.spool_path of its own",
                path,
                error,
            )
            continue
        if folder is not None:
            yield folder


def _claim(path: Path, destination: str) -> SpoolFolder | None:
    lock = _try_lock(_lock_path(path))
    if lock is None:
        return None
    folder = SpoolFolder(path, lock)
    try:
        there = path.exists()
        if there and _goes_to(folder, destination):
            return folder
        if not there:
            # Its heir finished between our listing and our lock.
            _lock_path(path).unlink(missing_ok=True)
    except BaseException:
        folder.forget()
        raise
    folder.forget()
    return None


def _goes_to(folder: SpoolFolder, destination: str) -> bool:
    theirs = folder.destination()
    if theirs in ("", destination) or not folder.segment_paths():
        return True
    _LOG.warning(
        "the facts in %s are for %s, and not sent to %s: open an ExperimentTracker or "
        "ModelRegistry with their settings, or delete %s to have them sent here",
        folder.path,
        theirs,
        destination,
        folder.path / _DESTINATION,
    )
    return False


def _lock_path(folder: Path) -> Path:
    return folder.with_suffix(_LOCK_SUFFIX)


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
