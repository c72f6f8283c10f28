"""Sequential reading of bytes that arrive in pieces, and copying them on without decoding."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from modeltrail.infra.gateway.errors import Code, ProtocolError

Buffer = bytes | memoryview
Sink = Callable[[Buffer], object]

#: A string shorter than this has a length of one byte, so the two together never exceed it.
_SHORT: Final = 128


def no_more() -> bytes:
    """Refill of a source that holds all its bytes from the start.

    Raises:
        ProtocolError: always; more was asked for than there is.
    """
    raise ProtocolError(Code.CANNOT_READ_ALL_DATA, "The bytes end inside a value.")


class ByteSource:
    """Reads values one after another; `refill` returns the next piece (never empty) or raises."""

    __slots__ = ("_buffer", "_position", "_refill")

    def __init__(self, refill: Callable[[], bytes] = no_more, first: bytes = b"") -> None:
        self._refill = refill
        self._buffer = first
        self._position = 0

    @property
    def buffered(self) -> bytes:
        """What has arrived and was not read yet."""
        return self._buffer[self._position :]

    @property
    def at_end(self) -> bool:
        """Whether everything that has arrived was read."""
        return self._position == len(self._buffer)

    def byte(self) -> int:
        """Read one byte."""
        if self._position == len(self._buffer):
            self._more()
        value = self._buffer[self._position]
        self._position += 1
        return value

    def take(self, count: int) -> bytes:
        """Read exactly `count` bytes; meant for small values."""
        start, end = self._position, self._position + count
        if end <= len(self._buffer):
            self._position = end
            return self._buffer[start:end]
        pieces: list[Buffer] = []
        self.copy(count, pieces.append)
        return b"".join(pieces)

    def varint(self) -> int:
        """Read an unsigned LEB128 number of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < _SHORT:
                break
        else:
            raise ProtocolError(Code.INCORRECT_DATA, "A variable-length number does not end.")
        if value >= 1 << 64:
            raise ProtocolError(Code.INCORRECT_DATA, "A variable-length number exceeds 64 bits.")
        return value

    def string(self, limit: int) -> bytes:
        """Read a length and that many bytes, at most `limit`."""
        size = self.varint()
        if size > limit:
            raise ProtocolError(
                Code.TOO_LARGE_STRING_SIZE, f"A string of {size} bytes exceeds {limit}."
            )
        return self.take(size)

    def copy(self, count: int, sink: Sink) -> None:
        """Hand `count` bytes to `sink`, in the pieces in which they arrive."""
        while count:
            available = len(self._buffer) - self._position
            if not available:
                self._more()
                continue
            size = min(available, count)
            sink(memoryview(self._buffer)[self._position : self._position + size])
            self._position += size
            count -= size

    def copy_u64(self, sink: Sink) -> int:
        """Copy one little-endian 64-bit number and return it."""
        raw = self.take(8)
        sink(raw)
        return int(struct.unpack("<Q", raw)[0])

    def copy_offsets(self, count: int, sink: Sink) -> int:
        """Copy `count` cumulative 64-bit offsets and return the last one, 0 when there is none."""
        if not count:
            return 0
        self.copy((count - 1) * 8, sink)
        return self.copy_u64(sink)

    def copy_counting(self, count: int, sink: Sink) -> npt.NDArray[np.int64]:
        """Copy `count` bytes and return how often each of the 256 values occurs."""
        counts = np.zeros(256, dtype=np.int64)

        def tally(piece: Buffer) -> None:
            np.add(
                counts,
                np.bincount(np.frombuffer(piece, dtype=np.uint8), minlength=256),
                out=counts,
            )
            sink(piece)

        self.copy(count, tally)
        return counts

    def copy_strings(self, count: int, sink: Sink) -> None:
        """Copy `count` strings, each a length and its bytes."""
        while count:
            buffer, start = self._buffer, self._position
            skipped, end = _skip_short_strings(buffer, start, count)
            if skipped:
                sink(memoryview(buffer)[start:end])
                self._position = end
                count -= skipped
            if count:
                self._copy_string(sink)
                count -= 1

    def _copy_string(self, sink: Sink) -> None:
        size = self.varint()
        sink(varint(size))
        self.copy(size, sink)

    def _more(self) -> None:
        self._buffer = self._refill()
        self._position = 0


def _skip_short_strings(buffer: bytes, start: int, count: int) -> tuple[int, int]:
    """How many short strings lie whole in the buffer from `start`, and where they end."""
    step = buffer[start] + 1 if start < len(buffer) else _SHORT + 1
    whole = min(count, (len(buffer) - start) // step)
    if step <= _SHORT and whole > 1:
        # Equal lengths (ids, dates) are seen at once: each length byte stands one step further.
        lengths = np.frombuffer(buffer, dtype=np.uint8, offset=start)[: whole * step : step]
        if bool((lengths == step - 1).all()):
            return whole, start + whole * step
    position, last = start, len(buffer) - _SHORT
    for done in range(count):
        if position > last or (size := buffer[position]) >= _SHORT:
            return done, position
        position += size + 1
    return count, position


def varint(value: int) -> bytes:
    """Encode an unsigned number as LEB128."""
    encoded = bytearray()
    while value >= _SHORT:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def string(value: str | bytes) -> bytes:
    """Encode a string: its length, then its bytes."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(len(raw)) + raw
