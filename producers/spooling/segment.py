"""One file of the spool: entries appended through a memory map, each with its own CRC.

Layout: 8 bytes magic, 8 bytes little-endian offset up to which Kafka acknowledged, then entries;
zeros follow the last. An entry is the length of its body, the CRC-32 of its body (4 bytes each,
little-endian) and the body. The body is written before its length, and the map is shared with the
page cache: what `append` returned from survives kill -9 of the process. It does not survive a power
cut until the operating system has written the pages back (or `sync` was called).
"""

import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"MTSPOOL1"
_ACKED = struct.Struct("<Q")
_ENTRY = struct.Struct("<II")
_ACKED_AT = len(_MAGIC)
HEADER_BYTES = _ACKED_AT + _ACKED.size
ENTRY_OVERHEAD = _ENTRY.size


#: One body, the offset behind it, and whether the CRC matches. A bare tuple: a named one takes
#: three times as long to make, once for each fact.
Entry = tuple[bytes, int, bool]


class Segment:
    """A segment file mapped into memory; appends need a lock around them."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        if self._map[:_ACKED_AT] != _MAGIC:
            self._map.close()
            raise ValueError(f"{path} is not a spool segment")
        acked: int = _ACKED.unpack_from(self._map, _ACKED_AT)[0]
        # Sending everything again is safe; trusting an impossible offset is not.
        self._acked = acked if HEADER_BYTES <= acked <= size else HEADER_BYTES
        self.written = HEADER_BYTES

    @classmethod
    def create(cls, path: Path, size: int) -> "Segment":
        """A new, empty segment, its blocks reserved.

        Raises:
            OSError: the disk is full. (A sparse file would kill the process at a later write.)
        """
        with path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            file.write(_MAGIC + _ACKED.pack(HEADER_BYTES))
        return cls(path, size)

    @classmethod
    def reopen(cls, path: Path) -> "Segment":
        """A segment that an earlier process left.

        Raises:
            ValueError: not a segment.
        """
        segment = cls(path, path.stat().st_size)
        for _body, end, _intact in segment.entries(HEADER_BYTES, segment.size):
            segment.written = end
        return segment

    @property
    def acked(self) -> int:
        """The offset up to which Kafka has acknowledged."""
        return self._acked

    @property
    def drained(self) -> bool:
        """Whether Kafka has acknowledged everything that was written."""
        return self._acked >= self.written

    def append(self, body: bytes) -> bool:
        """Write one entry; False: it does not fit any more."""
        at = self.written
        start = at + _ENTRY.size
        end = start + len(body)
        if end > self.size:
            return False
        self._map[start:end] = body
        _ENTRY.pack_into(self._map, at, len(body), zlib.crc32(body))
        self.written = end
        return True

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """The entries from offset `start` up to `stop`, the torn or corrupt ones not intact."""
        at = start
        while at + _ENTRY.size <= stop:
            length, checksum = _ENTRY.unpack_from(self._map, at)
            if length == 0:
                # A torn header hides what follows; all zeros is simply the end.
                if rest := self._map[at:stop].rstrip(b"\0"):
                    yield rest, stop, False
                return
            end = at + _ENTRY.size + length
            if end > stop:
                yield self._map[at:stop].rstrip(b"\0"), stop, False
                return
            body = self._map[at + _ENTRY.size : end]
            yield body, end, zlib.crc32(body) == checksum
            at = end

    def acknowledge(self, offset: int) -> None:
        """Remember that Kafka has everything before `offset`."""
        self._acked = offset
        _ACKED.pack_into(self._map, _ACKED_AT, offset)

    def sync(self) -> None:
        """Write the pages to the disk, against a power cut."""
        self._map.flush()

    def remove(self) -> None:
        """Delete the file; the map goes with the last reader of this object."""
        self.path.unlink(missing_ok=True)
