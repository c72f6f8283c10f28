"""Tables that come with a query: held as temporary tables of the session while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from modeltrail.infra.gateway import inserts
from modeltrail.infra.gateway.engine import EngineConnection
from modeltrail.infra.gateway.engine_config import quoted
from modeltrail.infra.gateway.errors import Code, GatewayError, ProtocolError
from modeltrail.infra.gateway.protocol.blocks import ColumnHead
from modeltrail.infra.gateway.protocol.client_packets import ClientPacket
from modeltrail.infra.gateway.spool import Spool
from modeltrail.infra.gateway.wire import Wire


@dataclass(frozen=True)
class ExternalTable:
    """One table as it came: its name, columns and spooled blocks."""

    name: str
    columns: tuple[ColumnHead, ...]
    rows: int
    spool: Spool


@contextmanager
def received(wire: Wire, *, compressed: bool, folder: Path) -> Iterator[list[ExternalTable]]:
    """Read the blocks that follow a query, to the empty one that ends them.

    Raises:
        ProtocolError: something else came instead.
    """
    tables: dict[str, ExternalTable] = {}
    with ExitStack() as spools:
        while True:
            if wire.next_packet() != ClientPacket.DATA:
                raise ProtocolError(
                    Code.UNEXPECTED_PACKET_FROM_CLIENT, "Expected the blocks after a query."
                )
            spool = spools.enter_context(Spool(folder))
            raw_name, block = inserts.read_data_packet(
                wire, compressed=compressed, sink=spool.write
            )
            if block.empty:
                break
            name = raw_name.decode(errors="replace")
            if name in tables or not name:
                raise ProtocolError(
                    Code.NOT_IMPLEMENTED, "An external table must have a name and one block."
                )
            tables[name] = ExternalTable(name, block.columns, block.rows, spool)
        yield list(tables.values())


@contextmanager
def created(connection: EngineConnection, tables: Sequence[ExternalTable]) -> Iterator[None]:
    """Keep the tables in the session for as long as a query runs.

    Raises:
        GatewayError: a temporary table of this name exists, or a type is not known.
    """
    with ExitStack() as made:
        for table in tables:
            name = quoted(table.name)
            columns = ", ".join(
                f"{quoted(column.name.decode(errors='replace'))} "
                f"{column.type.decode(errors='replace')}"
                for column in table.columns
            )
            connection.execute(f"CREATE TEMPORARY TABLE {name} ({columns})", {})
            made.callback(_drop, connection, name)
            if table.rows:
                connection.insert(name, "", table.spool.path())
        yield


def _drop(connection: EngineConnection, name: str) -> None:
    with suppress(GatewayError):
        connection.execute(f"DROP TEMPORARY TABLE IF EXISTS {name}", {})
