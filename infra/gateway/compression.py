"""Compressed frames: a checksum, a method, two sizes and the compressed bytes.

The checksum is CityHash128 (version 1.0.2) over everything that follows it in the frame.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

import clickhouse_cityhash.cityhash
import lz4.block

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol.source import Buffer, ByteSource

_HEADER: Final = struct.Struct("<BII")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
#: ClickHouse's own limit for one frame, in bytes.
_MAX_FRAME: Final = 0x40000000
_FRAME: Final = 1 << 20

_city_hash = cast("Callable[[bytes], int]", clickhouse_cityhash.cityhash.CityHash128)


def read_frame(source: ByteSource) -> bytes:
    """Read one frame and return what it holds.

    Raises:
        ProtocolError: the checksum or a size is wrong, or the method is not LZ4.
    """
    checksum, head = source.take(16), source.take(_HEADER.size)
    method, compressed_size, size = _HEADER.unpack(head)
    if not _HEADER.size < compressed_size <= _MAX_FRAME or not 0 < size <= _MAX_FRAME:
        raise ProtocolError(Code.TOO_LARGE_SIZE_COMPRESSED, "A compressed frame has a wrong size.")
    if method == _ZSTD:
        raise ProtocolError(Code.NOT_IMPLEMENTED, "ZSTD is not supported; use lz4.")
    if method not in (_NONE, _LZ4):
        raise ProtocolError(
            Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method 0x{method:02x}."
        )
    body = source.take(compressed_size - _HEADER.size)
    if _checksum(head + body) != checksum:
        raise ProtocolError(Code.CHECKSUM_DOESNT_MATCH, "Checksum of a frame does not match.")
    if method == _NONE:
        return body
    try:
        plain = cast("bytes", lz4.block.decompress(body, uncompressed_size=size))
    except (lz4.block.LZ4BlockError, ValueError):
        plain = b""
    if len(plain) != size:
        raise ProtocolError(Code.INCORRECT_DATA, "A frame does not decompress to its size.")
    return plain


def frames(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """Compress a block into frames of at most one mebibyte of plain bytes."""
    plain = memoryview(b"".join(pieces))
    for start in range(0, len(plain), _FRAME):
        part = plain[start : start + _FRAME]
        body = cast("bytes", lz4.block.compress(part, store_size=False))
        rest = _HEADER.pack(_LZ4, len(body) + _HEADER.size, len(part)) + body
        yield _checksum(rest) + rest


def _checksum(frame: bytes) -> bytes:
    high, low = divmod(_city_hash(frame), 1 << 64)
    return struct.pack("<QQ", high, low)
