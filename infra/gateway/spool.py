"""Keeps the blocks of an insert until the client has sent the last one.

The engine commits what it was fed, block by block, and keeps it when an insert breaks off. So it
is fed only after the end of the client's stream: a client that dies before leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final

from modeltrail.infra.gateway.errors import Code, GatewayError
from modeltrail.infra.gateway.protocol.source import Buffer

_BUFFER: Final = 1 << 20
_LARGEST: Final = 64 << 30


class Spool:
    """An unnamed temporary file; a small one never leaves the page cache."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115
        self.size = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, piece: Buffer) -> None:
        """Append a piece.

        Raises:
            GatewayError: the insert exceeds 64 GiB, or the disk is full.
        """
        self.size += len(piece)
        if self.size > _LARGEST:
            raise GatewayError(Code.LIMIT_EXCEEDED, "The insert is too large: split it.")
        try:
            self._file.write(piece)
        except OSError as error:
            raise GatewayError(
                Code.NOT_ENOUGH_SPACE, f"The gateway cannot keep an insert: {error.strerror}."
            ) from None

    def path(self) -> Path:
        """Where this process can open everything that was written."""
        self._file.flush()
        return Path(f"/proc/self/fd/{self._file.fileno()}")
