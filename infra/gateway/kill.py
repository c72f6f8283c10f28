"""KILL QUERY by a client's own query id, which the engine does not know."""

from __future__ import annotations

import re
from typing import Final

from modeltrail.infra.gateway.protocol.source import string, varint

_KILL: Final = re.compile(
    r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'((?:[^'\\]|\\.)*)'\s*(?:SYNC|ASYNC)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_COLUMNS: Final = ("kill_status", "query_id", "user", "query")


def killed_query_id(text: str) -> str | None:
    """The id in `KILL QUERY WHERE query_id = '…'`; None for any other statement."""
    found = _KILL.fullmatch(text)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None


def kill_answer(query_id: str, user: str, sql: str) -> bytes:
    """The row that KILL QUERY returns, as a Native block."""
    values = ("waiting", query_id, user, sql)
    return (
        varint(len(_COLUMNS))
        + varint(1)
        + b"".join(
            string(name) + string("String") + string(value.encode(errors="surrogateescape"))
            for name, value in zip(_COLUMNS, values, strict=True)
        )
    )
