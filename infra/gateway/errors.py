"""The errors a client is told about, each with ClickHouse's own numeric code."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Code(enum.IntEnum):
    """The part of ClickHouse's ErrorCodes that the gateway itself raises."""

    NO_SUCH_COLUMN_IN_TABLE = 16
    CANNOT_READ_ALL_DATA = 33
    UNKNOWN_TYPE = 50
    CHECKSUM_DOESNT_MATCH = 40
    NOT_IMPLEMENTED = 48
    LOGICAL_ERROR = 49
    SYNTAX_ERROR = 62
    UNKNOWN_DATABASE = 81
    UNKNOWN_COMPRESSION_METHOD = 89
    UNKNOWN_PACKET_FROM_CLIENT = 99
    UNEXPECTED_PACKET_FROM_CLIENT = 101
    INCORRECT_DATA = 117
    TOO_LARGE_STRING_SIZE = 131
    READONLY = 164
    SOCKET_TIMEOUT = 209
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216
    TOO_LARGE_SIZE_COMPRESSED = 271
    NOT_ENOUGH_SPACE = 243
    LIMIT_EXCEEDED = 290
    QUERY_WAS_CANCELLED = 394
    ACCESS_DENIED = 497
    AUTHENTICATION_FAILED = 516
    STD_EXCEPTION = 1001


@dataclass
class GatewayError(Exception):
    """An error with a code; the connection goes on after the client was told."""

    code: int
    message: str

    def __str__(self) -> str:
        return f"Code: {self.code}. {self.message}"


class ProtocolError(GatewayError):
    """The client's bytes cannot be followed any more; its connection ends."""


class EngineError(GatewayError):
    """The engine refused or broke off a statement."""


_PREFIX = re.compile(r"Code:\s*(\d+)\.\s*")
_VERSION = re.compile(r"\s*\(version [\d.]+[^()]*(?:\([^()]*\))?\)")


def engine_error(text: str) -> EngineError:
    """Read code and message out of an engine's error text, `Code: N. DB::Exception: …`.

    The engine sometimes repeats the whole message inside itself; only the innermost is kept when
    it has the same code. A text without a code becomes STD_EXCEPTION.
    """
    found = _PREFIX.search(text)
    if found is None:
        return EngineError(Code.STD_EXCEPTION, f"DB::Exception: {text.strip()}")
    code, message = int(found[1]), text[found.end() :]
    if (again := _PREFIX.match(message.removeprefix("DB::Exception: "))) and int(again[1]) == code:
        inner = message.removeprefix("DB::Exception: ")[again.end() :]
        name = re.search(r"\.? \([A-Z_0-9]+\)\s*$", message)
        doubled = name is not None and inner.count(name[0].strip(". ")) > 1
        message = inner[: name.start() - len(message)] if doubled and name else inner
    message = _VERSION.sub("", message).strip()
    if not message.startswith("DB::"):
        message = f"DB::Exception: {message}"
    return EngineError(code, message)
