"""Inserts of blocks: what the client shall send, and receiving it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from modeltrail.infra.gateway import compression, sql
from modeltrail.infra.gateway.engine import EngineConnection
from modeltrail.infra.gateway.errors import Code, GatewayError, ProtocolError
from modeltrail.infra.gateway.protocol.blocks import BlockHead, ColumnHead, read_client_block
from modeltrail.infra.gateway.protocol.client_packets import ClientPacket
from modeltrail.infra.gateway.protocol.source import ByteSource, Sink
from modeltrail.infra.gateway.wire import Wire

_MAX_TABLE_NAME: Final = 1 << 16
_NOT_INSERTED: Final = frozenset({"MATERIALIZED", "ALIAS", "EPHEMERAL"})


def insert_header(connection: EngineConnection, insert: sql.Insert) -> tuple[ColumnHead, ...]:
    """Names and types of the columns that an INSERT expects.

    Raises:
        GatewayError: the table or one of the named columns does not exist.
    """
    if insert.columns is None or not (names := _plain_names(insert.columns)):
        wanted = insert.columns or "*"
        if insert.is_function or wanted != "*":
            return connection.describe(f"SELECT {wanted} FROM {insert.target}", {})  # noqa: S608
        names = []
    rows = connection.rows(f"DESCRIBE TABLE {insert.target}")
    types = {name: kind for name, kind, *_ in rows}
    if not names:
        names = [name for name, _, default, *_ in rows if default not in _NOT_INSERTED]
    for name in names:
        if name not in types:
            raise GatewayError(
                Code.NO_SUCH_COLUMN_IN_TABLE,
                f"No such column {name} in table {insert.target}.",
            )
    return tuple(ColumnHead(name.encode(), types[name].encode()) for name in names)


def read_data_packet(wire: Wire, *, compressed: bool, sink: Sink) -> tuple[bytes, BlockHead]:
    """Read a Data packet after its number: the table's name and a block handed to `sink`."""
    table = wire.source.string(_MAX_TABLE_NAME)
    source = wire.source
    if compressed:
        source = ByteSource(lambda: compression.read_frame(wire.source))
    block = read_client_block(source, wire.revision, sink)
    if source is not wire.source and not source.at_end:
        raise ProtocolError(Code.INCORRECT_DATA, "Bytes are left over after a block.")
    return table, block


def receive_blocks(
    wire: Wire, *, compressed: bool, sink: Sink, acknowledge: Callable[[], None]
) -> tuple[int, bool]:
    """Read the blocks of an insert to the empty one that ends them.

    Returns the rows received, and whether the client cancelled instead.
    """
    rows = 0
    while True:
        packet = wire.next_packet()
        if packet == ClientPacket.CANCEL:
            return rows, True
        if packet != ClientPacket.DATA:
            raise ProtocolError(
                Code.UNEXPECTED_PACKET_FROM_CLIENT, f"Packet {packet} among inserted blocks."
            )
        table, block = read_data_packet(wire, compressed=compressed, sink=sink)
        if table:
            raise ProtocolError(Code.NOT_IMPLEMENTED, "External tables are not supported.")
        rows += block.rows
        acknowledge()
        if block.empty:
            return rows, False


def _plain_names(columns: str) -> list[str]:
    """The names in a list of columns, or none when it is not plainly a list of names."""
    lexemes = list(sql.tokens(columns))
    names: list[str] = []
    expect_name = True
    for token in lexemes:
        if token.text == "," and token.kind == "other":
            expect_name = True
        elif token.text == "." and token.kind == "other" and names:
            names[-1] += "."
        elif token.kind in ("word", "quoted") and (expect_name or names[-1].endswith(".")):
            text = columns[token.start : token.end] if token.kind == "word" else token.text
            names = [*names, text] if expect_name else [*names[:-1], names[-1] + text]
            expect_name = False
        else:
            return []
    return names
