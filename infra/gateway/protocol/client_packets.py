"""Reading what a client sends: hello, queries and the packets between them."""

from __future__ import annotations

import enum
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol import revisions
from modeltrail.infra.gateway.protocol.source import ByteSource

_MAX_TEXT: Final = 1 << 20
_MAX_SQL: Final = 1 << 28
_MAX_ENTRIES: Final = 10_000
_COMPLETE: Final = 2
_IMPORTANT: Final = 1


class ClientPacket(enum.IntEnum):
    """The first number of a client's packet."""

    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


@dataclass(frozen=True)
class Hello:
    """A client's introduction; the password is kept out of its representation."""

    client: str
    revision: int
    database: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Setting:
    """A setting of one query; an important one must be known to the server."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True)
class Query:
    """One statement with everything that came with it."""

    query_id: str
    settings: tuple[Setting, ...]
    compressed: bool
    sql: str
    parameters: Mapping[str, str] = field(repr=False)


#: Tells for a setting's name which of "number", "float" or "string" older clients encode it as.
SettingKind = Callable[[str], str]


def read_hello(source: ByteSource) -> Hello:
    """Read a client's first packet.

    Raises:
        ProtocolError: it is no hello, or from a client that is too old or uses keys.
    """
    if source.varint() != ClientPacket.HELLO:
        raise ProtocolError(Code.UNEXPECTED_PACKET_FROM_CLIENT, "Expected a Hello packet.")
    client = _text(source)
    source.varint(), source.varint()
    revision = source.varint()
    database, user, password = _text(source), _text(source), _text(source)
    if revision < revisions.OLDEST:
        raise ProtocolError(Code.NOT_IMPLEMENTED, f"Clients of revision {revision} are too old.")
    if user.startswith((" SSH KEY AUTHENTICATION ", " INTERSERVER SECRET ")):
        raise ProtocolError(Code.NOT_IMPLEMENTED, "Only passwords authenticate here.")
    return Hello(client, min(revision, revisions.ADVERTISED), database, user, password)


def read_addendum(source: ByteSource, revision: int) -> None:
    """Read what newer clients send after the server's hello: a quota key, which has no use here."""
    if revision >= revisions.ADDENDUM:
        _text(source)


def read_query(source: ByteSource, revision: int, kind_of: SettingKind) -> Query:
    """Read a Query packet after its number.

    Raises:
        ProtocolError: the bytes are no query, or ask for distributed execution.
    """
    query_id = _text(source)
    _read_client_info(source, revision)
    settings = _read_settings(source, revision, kind_of)
    if revision >= revisions.INTERSERVER_SECRET and _text(source):
        raise ProtocolError(Code.NOT_IMPLEMENTED, "Queries between servers are not supported.")
    if (stage := source.varint()) != _COMPLETE:
        raise ProtocolError(Code.NOT_IMPLEMENTED, f"Query stage {stage} is not supported.")
    compressed = bool(source.varint())
    sql = source.string(_MAX_SQL).decode(errors="surrogateescape")
    parameters: dict[str, str] = {}
    if revision >= revisions.PARAMETERS:
        for name, _, value in _entries(source):
            parameters[name] = unquoted(value)
    return Query(query_id, settings, compressed, sql, parameters)


def unquoted(value: str) -> str:
    r"""A parameter's text out of its quoted form, `'it\'s'`; other forms are kept as they are."""
    if len(value) < 2 or value[0] != "'" or value[-1] != "'":
        return value
    return _ESCAPE.sub(_unescape, value[1:-1])


_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)|''", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "f": "\f", "r": "\r", "n": "\n", "t": "\t", "0": "\0", "a": "\a",
                   "v": "\v"}  # fmt: skip


def _unescape(found: re.Match[str]) -> str:
    symbol = found[1]
    if symbol is None:
        return "'"
    if len(symbol) == 3:
        return chr(int(symbol[1:], 16))
    return _ESCAPED.get(symbol, symbol)


def _read_client_info(source: ByteSource, revision: int) -> None:
    """Skip what the client tells about itself, up to a query that another server started."""
    kind = source.byte()
    if not kind:
        return
    if kind != 1:
        raise ProtocolError(Code.NOT_IMPLEMENTED, "Secondary queries are not supported.")
    for _ in range(3):
        _text(source)
    if revision >= revisions.INITIAL_QUERY_START_TIME:
        source.take(8)
    if (interface := source.byte()) != 1:
        raise ProtocolError(Code.NOT_IMPLEMENTED, f"Client interface {interface}.")
    for _ in range(3):
        _text(source)
    for _ in range(3):
        source.varint()
    if revision >= revisions.QUOTA_KEY_IN_CLIENT_INFO:
        _text(source)
    if revision >= revisions.DISTRIBUTED_DEPTH:
        source.varint()
    if revision >= revisions.VERSION_PATCH:
        source.varint()
    if revision >= revisions.OPENTELEMETRY and source.byte():
        source.take(24)
        _text(source)
        source.byte()
    if revision >= revisions.PARALLEL_REPLICAS:
        for _ in range(3):
            source.varint()


def _read_settings(source: ByteSource, revision: int, kind_of: SettingKind) -> tuple[Setting, ...]:
    if revision >= revisions.SETTINGS_AS_STRINGS:
        return tuple(
            Setting(name, value, bool(flags & _IMPORTANT))
            for name, flags, value in _entries(source)
        )
    settings = []
    while name := _text(source):
        match kind_of(name):
            case "number":
                value = str(source.varint())
            case "float":
                value = str(struct.unpack("<f", source.take(4))[0])
            case _:
                value = _text(source)
        settings.append(Setting(name, value, important=True))
        _limit(len(settings))
    return tuple(settings)


def _entries(source: ByteSource) -> list[tuple[str, int, str]]:
    entries: list[tuple[str, int, str]] = []
    while name := _text(source):
        entries.append((name, source.varint(), source.string(_MAX_SQL).decode(errors="replace")))
        _limit(len(entries))
    return entries


def _limit(count: int) -> None:
    if count > _MAX_ENTRIES:
        raise ProtocolError(Code.INCORRECT_DATA, f"More than {_MAX_ENTRIES} settings.")


def _text(source: ByteSource) -> str:
    return source.string(_MAX_TEXT).decode(errors="replace")
