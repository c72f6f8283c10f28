"""Writing what the server sends: hello, blocks, progress, errors and the end."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from modeltrail.infra.gateway.errors import GatewayError
from modeltrail.infra.gateway.protocol import revisions
from modeltrail.infra.gateway.protocol.blocks import ColumnHead, header
from modeltrail.infra.gateway.protocol.source import string, varint


class ServerPacket(enum.IntEnum):
    """The first number of a server's packet."""

    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PROGRESS = 3
    PONG = 4
    END_OF_STREAM = 5
    PROFILE_INFO = 6
    PROFILE_EVENTS = 14
    TIMEZONE_UPDATE = 17


PONG: Final = varint(ServerPacket.PONG)
END_OF_STREAM: Final = varint(ServerPacket.END_OF_STREAM)
#: What stands before a block: the packet's number and the name of no table.
DATA_HEAD: Final = varint(ServerPacket.DATA) + string("")
_PROFILE_EVENTS: Final = (
    ("host_name", "String"),
    ("current_time", "DateTime"),
    ("thread_id", "UInt64"),
    ("type", "Enum8('increment' = 1, 'gauge' = 2)"),
    ("name", "String"),
    ("value", "Int64"),
)


@dataclass(frozen=True)
class Version:
    """The engine's version, as `26.9.2`, and the time zone in which it reads times."""

    major: int
    minor: int
    patch: int
    timezone: str


@dataclass(frozen=True)
class Progress:
    """What a query has done; counts of rows and bytes, time in nanoseconds."""

    read_rows: int = 0
    read_bytes: int = 0
    total_rows: int = 0
    total_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_ns: int = 0

    def since(self, earlier: Progress) -> Progress:
        """The difference, which is what goes over the wire; nothing ever counts down."""
        return Progress(
            max(self.read_rows - earlier.read_rows, 0),
            max(self.read_bytes - earlier.read_bytes, 0),
            max(self.total_rows - earlier.total_rows, 0),
            max(self.total_bytes - earlier.total_bytes, 0),
            max(self.written_rows - earlier.written_rows, 0),
            max(self.written_bytes - earlier.written_bytes, 0),
            max(self.elapsed_ns - earlier.elapsed_ns, 0),
        )


def hello(version: Version, revision: int) -> bytes:
    """The server's introduction, in the form for a client of `revision`."""
    packet = (
        varint(ServerPacket.HELLO)
        + string("ClickHouse")
        + varint(version.major)
        + varint(version.minor)
        + varint(revisions.ADVERTISED)
    )
    if revision >= revisions.SERVER_TIMEZONE:
        packet += string(version.timezone)
    if revision >= revisions.SERVER_DISPLAY_NAME:
        packet += string("modeltrail")
    if revision >= revisions.VERSION_PATCH:
        packet += varint(version.patch)
    if revision >= revisions.PASSWORD_COMPLEXITY_RULES:
        packet += varint(0)
    if revision >= revisions.INTERSERVER_SECRET_V2:
        packet += bytes(8)
    return packet


def exception(error: GatewayError) -> bytes:
    """An error with its code, without a stack trace."""
    message = error.message
    if not message.startswith("DB::"):
        message = f"DB::Exception: {message}"
    return (
        varint(ServerPacket.EXCEPTION)
        + struct.pack("<i", error.code)
        + string("DB::Exception")
        + string(message.encode(errors="replace"))
        + string("")
        + b"\x00"
    )


def progress(step: Progress, revision: int) -> bytes:
    """One step of progress."""
    numbers = [step.read_rows, step.read_bytes, step.total_rows]
    if revision >= revisions.TOTAL_BYTES_IN_PROGRESS:
        numbers.append(step.total_bytes)
    if revision >= revisions.CLIENT_WRITE_INFO:
        numbers += [step.written_rows, step.written_bytes]
    if revision >= revisions.SERVER_QUERY_TIME_IN_PROGRESS:
        numbers.append(step.elapsed_ns)
    return varint(ServerPacket.PROGRESS) + _varints(numbers)


def profile_info(rows: int, blocks: int, size: int) -> bytes:
    """How much a query returned, in rows, blocks and bytes, and that no limit is reported.

    The last byte says that this is settled; a client that reads 0 there looks for it elsewhere.
    """
    return varint(ServerPacket.PROFILE_INFO) + _varints([rows, blocks, size, 0, 0, 1])


def profile_events(revision: int) -> bytes:
    """The (empty) table of counters that newer clients wait for after each inserted block."""
    columns = tuple(ColumnHead(name.encode(), kind.encode()) for name, kind in _PROFILE_EVENTS)
    return varint(ServerPacket.PROFILE_EVENTS) + string("") + header(columns, revision)


def timezone_update(timezone: str) -> bytes:
    """The time zone of this session, where it differs from the server's."""
    return varint(ServerPacket.TIMEZONE_UPDATE) + string(timezone)


def _varints(numbers: Iterable[int]) -> bytes:
    return b"".join(varint(number) for number in numbers)
