"""Blocks of columns: from a client's wire form to the engine's Native format and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol import revisions
from modeltrail.infra.gateway.protocol.columns import Opaque
from modeltrail.infra.gateway.protocol.source import Buffer, ByteSource, Sink, string, varint
from modeltrail.infra.gateway.protocol.types import column_of

_MAX_COLUMNS: Final = 10_000
_MAX_NAME: Final = 1 << 20
_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"


@dataclass(frozen=True)
class ColumnHead:
    """Name and type of a column, as the bytes that the peer sent."""

    name: bytes
    type: bytes


@dataclass(frozen=True)
class BlockHead:
    """What a block says about itself before its rows."""

    columns: tuple[ColumnHead, ...]
    rows: int

    @property
    def empty(self) -> bool:
        """Whether this is the block without anything that ends a stream of blocks."""
        return not self.columns and not self.rows


def read_client_block(source: ByteSource, revision: int, sink: Sink) -> BlockHead:
    """Read one block of a client and hand `sink` the same block in the engine's Native format.

    Raises:
        ProtocolError: the bytes are no block, or a type or serialisation is not supported.
    """
    _read_block_info(source)
    count, rows = source.varint(), source.varint()
    if count > _MAX_COLUMNS:
        raise ProtocolError(Code.INCORRECT_DATA, f"A block of {count} columns.")
    if count:
        sink(varint(count) + varint(rows))
    heads = []
    for _ in range(count):
        head = ColumnHead(source.string(_MAX_NAME), source.string(_MAX_NAME))
        heads.append(head)
        sink(string(head.name) + string(head.type))
        if revision >= revisions.CUSTOM_SERIALIZATION and source.byte():
            raise ProtocolError(Code.NOT_IMPLEMENTED, "Sparse or custom column serialisation.")
        if rows:
            column = column_of(head.type.decode(errors="replace")).prefix(source, sink)
            column.data(rows, source, sink)
    return BlockHead(tuple(heads), rows)


def server_blocks(native: bytes, revision: int) -> Iterator[tuple[BlockHead, list[Buffer]]]:
    """Split the engine's Native bytes into blocks in the form that the client's revision wants.

    Raises:
        ProtocolError: a column's end cannot be found (see `columns.Opaque`).
    """
    source = ByteSource(first=native)
    while not source.at_end:
        yield _server_block(source, revision >= revisions.CUSTOM_SERIALIZATION)


def _server_block(source: ByteSource, flagged: bool) -> tuple[BlockHead, list[Buffer]]:
    pieces: list[Buffer] = []
    count, rows = source.varint(), source.varint()
    pieces.append(_BLOCK_INFO + varint(count) + varint(rows))
    heads = []
    for index in range(count):
        head = ColumnHead(source.string(_MAX_NAME), source.string(_MAX_NAME))
        heads.append(head)
        pieces.append(string(head.name) + string(head.type) + (b"\x00" if flagged else b""))
        column = column_of(head.type.decode(errors="replace"))
        if isinstance(column, Opaque) and index == count - 1:
            pieces.append(source.take(len(source.buffered)))
        elif rows:
            column.prefix(source, pieces.append).data(rows, source, pieces.append)
    return BlockHead(tuple(heads), rows), pieces


def header(columns: tuple[ColumnHead, ...], revision: int) -> bytes:
    """A block of no rows, which tells the client names and types."""
    flag = b"\x00" if revision >= revisions.CUSTOM_SERIALIZATION else b""
    return (
        _BLOCK_INFO
        + varint(len(columns))
        + varint(0)
        + b"".join(string(column.name) + string(column.type) + flag for column in columns)
    )


def _read_block_info(source: ByteSource) -> None:
    while field := source.varint():
        if field == 1:
            source.byte()
        elif field == 2:
            source.take(4)
        else:
            raise ProtocolError(Code.INCORRECT_DATA, f"Unknown field {field} of a block.")
