"""Answers who owns which folder of a spool: processes share it, and heirs find the dead."""

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

SEGMENT_SUFFIX = ".segment"
_LOCK_SUFFIX = ".lock"
SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """A folder of segments whose lock file this process holds; the lock dies with its holder."""

    path: Path
    lock: int

    def segment_paths(self) -> list[Path]:
        """The segment files, oldest first."""
        return sorted(self.path.glob(f"*{SEGMENT_SUFFIX}"))

    def release(self) -> None:
        """Give the folder up; an empty one is removed."""
        if not any(self.path.iterdir()):
            self.path.rmdir()
            _lock_path(self.path).unlink(missing_ok=True)
        os.close(self.lock)

    def forget(self) -> None:
        """In a forked child: close our copy of the lock, which stays with the parent."""
        os.close(self.lock)


def claim_new(root: Path) -> SpoolFolder:
    """A new folder below `root`.

    Raises:
        OSError: the folder cannot be created.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / secrets.token_hex(8)
    # Locked before the folder exists, so that nobody takes a new folder for an abandoned one.
    lock = _try_lock(_lock_path(path))
    assert lock is not None
    path.mkdir()
    return SpoolFolder(path, lock)


def claim_abandoned(root: Path) -> list[SpoolFolder]:
    """Every folder below `root` whose owner is gone, oldest first."""
    claimed = []
    folders = [path for path in root.iterdir() if path.is_dir() and path.name != SET_ASIDE]
    for path in sorted(folders, key=_age):
        lock = _try_lock(_lock_path(path))
        if lock is None:
            continue
        if path.exists():
            claimed.append(SpoolFolder(path, lock))
        else:
            # Its heir finished between our listing and our lock.
            _lock_path(path).unlink(missing_ok=True)
            os.close(lock)
    return claimed


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
    return descriptor
