"""Keeps the blocks of an insert until the client has sent the last one.

The engine commits what it was fed, block by block, and keeps it when an insert breaks off. So it
is fed only after the end of the client's stream: a client that dies before leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from modeltrail.infra.gateway.errors import Code, GatewayError
from modeltrail.infra.gateway.protocol.source import Buffer

_IN_MEMORY: Final = 64 << 20
_CHUNK: Final = 4 << 20
_LARGEST: Final = 64 << 30


class Spool:
    """Bytes in memory up to 64 MiB, and beyond that in an unnamed temporary file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pieces: list[Buffer] = []
        self._held = 0
        self.size = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pieces.clear()
        if self._file is not None:
            self._file.close()

    def write(self, piece: Buffer) -> None:
        """Keep a piece; the buffer behind it must not change afterwards.

        Raises:
            GatewayError: the insert exceeds 64 GiB.
        """
        self._pieces.append(piece)
        self._held += len(piece)
        self.size += len(piece)
        if self._held > _IN_MEMORY:
            if self.size > _LARGEST:
                raise GatewayError(Code.LIMIT_EXCEEDED, "The insert is too large: split it.")
            self._spill()

    def chunks(self) -> Iterator[bytes]:
        """All bytes in their order."""
        if self._file is None:
            yield b"".join(self._pieces)
            return
        self._spill()
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._file.writelines(self._pieces)
        self._pieces.clear()
        self._held = 0
