"""What all sessions of one gateway share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modeltrail.infra.gateway.accounts import Account
from modeltrail.infra.gateway.engine import Engine
from modeltrail.infra.gateway.errors import Code, GatewayError
from modeltrail.infra.gateway.watcher import Watcher
from modeltrail.infra.gateway.wire import Timeouts

_NUMBERS: Final = frozenset(
    {
        "UInt64", "UInt64Auto", "NonZeroUInt64", "Int64", "Int32", "Bool", "BoolAuto", "Seconds",
        "Milliseconds", "MaxThreads",
    }
)  # fmt: skip
_FLOATS: Final = frozenset({"Float", "Double", "FloatAuto"})


@dataclass(frozen=True)
class RunningQuery:
    """A query that has a client's id, and how to stop it."""

    query_id: str
    user: str
    sql: str
    stop: Callable[[], None]


class QueryIds:
    """The ids that clients gave to what runs now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, RunningQuery] = {}

    @contextmanager
    def running(self, query: RunningQuery) -> Iterator[None]:
        """Register a query while it runs; one without an id is not registered.

        Raises:
            GatewayError: another one with the same id runs.
        """
        if not query.query_id:
            yield
            return
        with self._lock:
            if query.query_id in self._running:
                raise GatewayError(
                    Code.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                    f"Query with id = {query.query_id} is already running.",
                )
            self._running[query.query_id] = query
        try:
            yield
        finally:
            with self._lock:
                del self._running[query.query_id]

    def find(self, query_id: str) -> RunningQuery | None:
        """The running query with this id."""
        with self._lock:
            return self._running.get(query_id)


@dataclass(frozen=True)
class Shared:
    """The engine, who may use it, and the tables that the protocol needs."""

    engine: Engine
    accounts: tuple[Account, ...]
    spool_folder: Path
    table_functions: frozenset[str]
    setting_types: Mapping[str, str]
    watcher: Watcher
    query_ids: QueryIds = field(default_factory=QueryIds)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def setting_kind(self, name: str) -> str:
        """How clients before revision 54429 encode a setting."""
        kind = self.setting_types.get(name, "String")
        if kind in _NUMBERS:
            return "number"
        return "float" if kind in _FLOATS else "string"
