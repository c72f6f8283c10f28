"""Says where everything of one stack lies under its data folder, and writes private files."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from modeltrail.infra.config import ENDPOINTS_FILE, LOCK_FILE


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one stack; `root` is absolute."""

    root: Path

    @classmethod
    def at(cls, data_dir: str | Path) -> "Layout":
        """The layout of a data folder, which need not exist yet."""
        return cls(Path(data_dir).absolute())

    def create(self) -> None:
        """Make the folders, closed to other users."""
        for folder in (self.root, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def lock(self) -> Path:
        """Locked by the supervisor for as long as it lives."""
        return self.root / LOCK_FILE

    @property
    def state(self) -> Path:
        """Which processes run."""
        return self.root / "state.json"

    @property
    def ports(self) -> Path:
        """The ports chosen at the first start."""
        return self.root / "ports.json"

    @property
    def credentials(self) -> Path:
        """The passwords made at the first start."""
        return self.root / "credentials.json"

    @property
    def accounts(self) -> Path:
        """What the ClickHouse gateway may know of the accounts: hashes and limits."""
        return self.root / "accounts.json"

    @property
    def endpoints(self) -> Path:
        """The settings that reach the running stack; there only while it runs."""
        return self.root / ENDPOINTS_FILE

    @property
    def logs(self) -> Path:
        """One log file per part."""
        return self.root / "logs"

    def log(self, part: str) -> Path:
        """The log file of a part's latest run."""
        return self.logs / f"{part}.log"


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step with one that only its owner may read."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
