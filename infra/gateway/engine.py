"""The typed adapter to chdb, the ClickHouse engine inside this process."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from chdb.state import connect

from modeltrail.infra.gateway.engine_config import literal, quoted
from modeltrail.infra.gateway.errors import Code, EngineError, GatewayError, engine_error
from modeltrail.infra.gateway.protocol.blocks import ColumnHead
from modeltrail.infra.gateway.protocol.server_packets import Progress, Version

#: What the tag of every session begins with.
TAG: Final = "modeltrail-"
OnProgress = Callable[[Progress], None]


class Engine:
    """One engine on one data directory, with a connection of its own for control statements."""

    def __init__(self, data: Path, config: Path) -> None:
        _forget_empty_default_database(data)
        self._address = f"{data}?config-file={config}"
        self._lock = threading.Lock()
        self._control = self.connect()
        _plain_default_database(self._control)
        version, timezone = self._control.rows("SELECT version(), timezone()")[0]
        major, minor, patch = (int(part) for part in version.split(".")[:3])
        self.version = Version(major, minor, patch, timezone)

    def connect(self) -> EngineConnection:
        """A connection with settings, temporary tables and a current database of its own."""
        with _engine_errors():
            return EngineConnection(connect(self._address))

    def kill(self, tag: str) -> None:
        """Stop what runs under a tag (see `EngineConnection.tag`); does not wait for its end."""
        self._kill_those_that_start_with(f"{tag} ")

    def kill_all(self) -> None:
        """Stop what runs under any tag; does not wait for its end."""
        self._kill_those_that_start_with(TAG)

    def _kill_those_that_start_with(self, text: str) -> None:
        with self._lock:
            self._control.rows(
                "KILL QUERY WHERE startsWith(Settings['log_comment'], {tag:String}) ASYNC",
                {"tag": escaped(text)},
            )

    def canonical(self, sql: str) -> str:
        """The statement as the engine's own formatter writes it; refuses more than one.

        Raises:
            EngineError: it does not parse as one statement.
        """
        with self._lock:
            rows = self._control.rows(
                "SELECT formatQuerySingleLine({sql:String})", {"sql": escaped(sql)}
            )
        return rows[0][0]

    def syntax_tree(self, canonical: str, parameters: Mapping[str, str]) -> str:
        """The parsed form of one canonical statement, a node per line; runs nothing."""
        with self._lock:
            raw = self._control.execute(f"EXPLAIN AST {canonical}", parameters, "TSVRaw")
        return raw.decode(errors="surrogateescape")

    def table_function_names(self) -> list[str]:
        """All table functions that the engine knows, in lower case."""
        with self._lock:
            rows = self._control.rows("SELECT lower(name) FROM system.table_functions")
        return [name for (name,) in rows]

    def setting_types(self) -> dict[str, str]:
        """The type of each setting that the engine knows, by name."""
        with self._lock:
            return dict(self._control.rows("SELECT name, type FROM system.settings"))

    def close(self) -> None:
        """Shut the engine down; every other connection must be closed before."""
        with self._lock:
            self._control.close()


class EngineConnection:
    """One client's connection; used by one thread at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._session: dict[str, str] = {}
        self._applied: dict[str, str] = {}
        self._run("SET implicit_select = 0, allow_introspection_functions = 0")

    def take_role(self, role: str) -> None:
        """Act with this role's grants from now on."""
        self._run(f"SET ROLE {quoted(role)}")

    def use(self, database: str) -> None:
        """Change the current database."""
        self._run(f"USE {quoted(database)}")

    def tag(self, text: str) -> None:
        """Mark what this connection runs, so that `Engine.kill` finds it."""
        self._run(f"SET log_comment = {literal(text)}")

    def restrict(self, limits: Mapping[str, int]) -> None:
        """Set limits and then, irrevocably, the engine's read-only mode."""
        for name, value in limits.items():
            self._run(f"SET {quoted(name)} = {value}")
        self._run("SET readonly = 1")

    def apply_settings(self, settings: Mapping[str, str]) -> None:
        """Make these the settings of the next statement, above those of the session.

        Raises:
            EngineError: the engine does not know a setting or refuses its value.
        """
        if settings == self._applied:
            return
        wanted = {name: literal(value) for name, value in settings.items()}
        gone = self._applied.keys() - settings.keys()
        wanted |= {name: self._session.get(name, "DEFAULT") for name in gone}
        try:
            self._run(_assignments(wanted))
        except GatewayError:
            self._restore(self._applied.keys() | settings.keys())
            raise
        self._applied = dict(settings)

    def remember_session_settings(self) -> None:
        """Note what a client's own SET statement has changed, as the state to go back to."""
        rows = self.rows("SELECT name, value FROM system.settings WHERE changed")
        self._session = {name: literal(value) for name, value in rows if name != "log_comment"}

    def execute(self, sql: str, parameters: Mapping[str, str], form: str = "Native") -> bytes:
        """Run a statement and return its whole result, which is empty when it has no rows."""
        with _engine_errors():
            result = self._connection.query(sql, form, params=dict(parameters))
            return bytes(result.bytes())

    def stream(self, sql: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Run a SELECT and yield its result block by block, in Native format."""
        with _engine_errors():
            result = self._connection.send_query(sql, "Native", params=dict(parameters))
        try:
            while True:
                with _engine_errors():
                    chunk = result.fetch()
                if chunk is None:
                    return
                yield bytes(chunk.bytes())
        finally:
            with suppress(Exception):
                result.cancel()

    def describe(self, sql: str, parameters: Mapping[str, str]) -> tuple[ColumnHead, ...]:
        """Names and types of the columns that a SELECT returns."""
        rows = self.rows(f"DESCRIBE TABLE ({sql}\n)", parameters)
        return tuple(ColumnHead(name.encode(), kind.encode()) for name, kind, *_ in rows)

    def insert(self, target: str, settings: str, blocks: Path) -> int:
        """Insert a file of Native blocks and return the rows written.

        The engine reads the file itself: its streaming insert reports success even when a
        constraint or a materialised view has refused the rows.
        """
        sql = f"INSERT INTO {target} FROM INFILE {literal(str(blocks))} {settings} FORMAT Native"
        with _engine_errors():
            return int(self._connection.query(sql, "Native").rows_written())

    def rows(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
        """The rows of a small result as texts."""
        raw = self.execute(sql, parameters or {}, "JSONCompactStringsEachRow")
        return [_json_row(line) for line in raw.splitlines()]

    @contextmanager
    def progress(self, listener: OnProgress) -> Iterator[None]:
        """Tell `listener`, in the calling thread, how the statements inside go on."""

        def heard(values: Mapping[str, int]) -> None:
            listener(
                Progress(
                    values["read_rows"],
                    values["read_bytes"],
                    values["total_rows_to_read"],
                    values["total_bytes_to_read"],
                    values["written_rows"],
                    values["written_bytes"],
                    values["elapsed_ns"],
                )
            )

        self._connection.set_progress_callback(heard)
        try:
            yield
        finally:
            self._connection.set_progress_callback(None)

    def close(self) -> None:
        """Give the connection up; what it still runs is cancelled."""
        with suppress(Exception):
            self._connection.close()

    def _restore(self, names: set[str]) -> None:
        for name in names:
            with suppress(GatewayError):
                self._run(_assignments({name: self._session.get(name, "DEFAULT")}))
        self._applied = {}

    def _run(self, sql: str) -> None:
        self.execute(sql, {})


def escaped(value: str) -> str:
    """A text as the value of a String parameter."""
    for plain, symbol in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\0", "\\0")):
        value = value.replace(plain, symbol)
    return value


def _assignments(values: Mapping[str, str]) -> str:
    return "SET " + ", ".join(f"{quoted(name)} = {value}" for name, value in values.items())


def _json_row(line: bytes) -> list[str]:
    return [str(value) for value in json.loads(line)]


def _forget_empty_default_database(data: Path) -> None:
    """Remove the description of a `default` database that never had a table.

    The engine does not register such a one when it starts, and then can neither attach nor create
    it. Its tables, if it had any, would be described behind a link next to the description.
    """
    description = data / "metadata" / "default.sql"
    if description.exists() and not (data / "metadata" / "default").exists():
        uuid = re.search(r"UUID '([0-9a-f-]{36})'", description.read_text(encoding="utf-8"))
        if uuid and not any((data / "store" / uuid[1][:3] / uuid[1]).glob("*.sql")):
            description.unlink()


def _plain_default_database(connection: EngineConnection) -> None:
    """Replace the engine's `default` database, which shows the file system, by an ordinary one."""
    connection.use("system")
    connection.execute("DETACH DATABASE IF EXISTS default", {})
    with suppress(EngineError):  # there is nothing to attach on a new data directory
        connection.execute("ATTACH DATABASE default", {})
    connection.execute("CREATE DATABASE IF NOT EXISTS default ENGINE = Atomic", {})


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except GatewayError:
        raise
    except UnicodeEncodeError:
        raise EngineError(Code.INCORRECT_DATA, "The statement is not UTF-8.") from None
    except Exception as error:
        raise engine_error(str(error)) from None
