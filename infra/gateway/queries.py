"""Runs one statement: admits it, gives it to the engine, and answers with blocks and an end."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from modeltrail.infra.gateway import external_tables, inserts, readers_guard, settings, sql
from modeltrail.infra.gateway.accounts import Account
from modeltrail.infra.gateway.engine import EngineConnection
from modeltrail.infra.gateway.errors import Code, GatewayError, ProtocolError
from modeltrail.infra.gateway.external_tables import ExternalTable
from modeltrail.infra.gateway.kill import kill_answer, killed_query_id
from modeltrail.infra.gateway.protocol import revisions, server_packets
from modeltrail.infra.gateway.protocol.client_packets import Query
from modeltrail.infra.gateway.results import ResultWriter
from modeltrail.infra.gateway.shared import RunningQuery, Shared
from modeltrail.infra.gateway.spool import Spool
from modeltrail.infra.gateway.watcher import Watch
from modeltrail.infra.gateway.wire import Wire

_log = logging.getLogger(__name__)
_STREAMED: Final = frozenset({"SELECT", "WITH", "FROM"})


class QueryRunner:
    """Runs a session's queries one after another."""

    def __init__(
        self,
        wire: Wire,
        connection: EngineConnection,
        account: Account,
        shared: Shared,
        tag: str,
    ) -> None:
        self._wire = wire
        self._connection = connection
        self._account = account
        self._shared = shared
        self._tag = tag
        self._noted_id = ""

    def run(self, query: Query) -> None:
        """Run a query and tell the client its result or its error.

        Raises:
            ProtocolError: the connection cannot go on.
            EOFError: the client has left.
        """
        result = ResultWriter(self._wire, compressed=query.compressed)
        folder = self._shared.spool_folder
        with external_tables.received(
            self._wire, compressed=query.compressed, folder=folder
        ) as tables:
            try:
                with self._registered(query) as watch:
                    self._admit(query, tables)
                    with external_tables.created(self._connection, tables):
                        self._dispatch(query, result, watch)
                result.finish()
            except ProtocolError:
                raise
            except GatewayError as error:
                _log.info("%s: a query failed with code %d", self._tag, error.code)
                self._wire.send(server_packets.exception(error))

    def _dispatch(self, query: Query, result: ResultWriter, watch: Watch) -> None:
        insert = sql.parse_insert(query.sql)
        if insert is None or insert.rows == "select":
            self._run_statement(query, result, watch)
        elif self._account.role == "reader":
            raise GatewayError(Code.READONLY, "Cannot execute query in readonly mode.")
        elif insert.rows == "inline":
            self._check_sources(list(sql.tokens(query.sql)))
            self._execute(query.sql, query, result, watch)
        else:
            watch.ignore_client()
            self._insert_blocks(insert, query, result)

    def _run_statement(self, query: Query, result: ResultWriter, watch: Watch) -> None:
        text, lexemes = sql.single_statement(query.sql)
        text = sql.without_output(text, lexemes)
        killed = killed_query_id(text)
        if self._account.role == "reader":
            text = self._admitted(text, query)
        else:
            self._check_sources(lexemes)
            if sql.changes_role(lexemes):
                raise GatewayError(Code.ACCESS_DENIED, "An account's role does not change.")
        word = sql.keyword(lexemes)
        if killed and (running := self._shared.query_ids.find(killed)):
            running.stop()
            result.send(kill_answer(killed, running.user, running.sql))
        elif word in _STREAMED and sql.has_totals(lexemes):
            raise GatewayError(Code.NOT_IMPLEMENTED, "WITH TOTALS is not supported here.")
        elif word in _STREAMED and all(token.text != "INSERT" for token in lexemes):
            self._stream(text, query, result, watch)
        else:
            self._execute(text, query, result, watch)
        if word == "SET":
            self._connection.remember_session_settings()

    def _stream(self, text: str, query: Query, result: ResultWriter, watch: Watch) -> None:
        self._send_timezone(query)
        with self._connection.progress(result.on_progress), _cancellable(watch):
            for chunk in self._connection.stream(text, query.parameters):
                result.send(chunk)
                if watch.cancelled:
                    break
        if watch.cancelled and not watch.cancelled_by_client:
            # The engine says so only to who waits for it: not while a client was waited for.
            raise GatewayError(Code.QUERY_WAS_CANCELLED, "Query was cancelled.")
        if not result.has_header and not watch.cancelled:
            result.send_header(self._connection.describe(text, query.parameters))

    def _execute(self, text: str, query: Query, result: ResultWriter, watch: Watch) -> None:
        with self._connection.progress(result.on_progress), _cancellable(watch):
            if answer := self._connection.execute(text, query.parameters):
                result.send(answer)

    def _insert_blocks(self, insert: sql.Insert, query: Query, result: ResultWriter) -> None:
        if query.parameters:
            raise GatewayError(Code.NOT_IMPLEMENTED, "Parameters in an INSERT of blocks.")
        result.send_header(inserts.insert_header(self._connection, insert))
        with Spool(self._shared.spool_folder) as spool:
            rows, cancelled = inserts.receive_blocks(
                self._wire,
                compressed=query.compressed,
                sink=spool.write,
                acknowledge=result.acknowledge_block,
            )
            if cancelled:
                raise GatewayError(Code.QUERY_WAS_CANCELLED, "The client cancelled the insert.")
            if rows:
                self._connection.insert(insert.into, insert.settings, spool.path())
            result.written(rows, spool.size)

    def _admitted(self, text: str, query: Query) -> str:
        """The text that a reader may run: the engine's own rendering of the statement."""
        engine = self._shared.engine
        canonical = engine.canonical(text)
        # Its tree is asked for by a statement that begins with EXPLAIN and ends as this one does.
        sql.refuse_outfile(list(sql.tokens(canonical)))
        tree = engine.syntax_tree(canonical, query.parameters)
        readers_guard.check_statement(
            tree, canonical, self._account.databases, self._shared.table_functions
        )
        return canonical

    def _check_sources(self, lexemes: Sequence[sql.Token]) -> None:
        if not self._account.external_sources and sql.calls_file_function(lexemes):
            raise GatewayError(
                Code.ACCESS_DENIED,
                "Not enough privileges: file() needs an account with external_sources; "
                "qualify a column of this name.",
            )
        outside = sql.reaches_outside(lexemes, self._shared.table_functions)
        if outside and not self._account.external_sources:
            raise GatewayError(
                Code.ACCESS_DENIED,
                f"Not enough privileges: {outside} needs an account with external_sources.",
            )

    def _admit(self, query: Query, tables: Sequence[ExternalTable]) -> None:
        """Take over the query's settings, where its account may have any."""
        wanted = settings.checked(query.settings, self._shared.setting_types)
        if self._account.role == "reader":
            readers_guard.check_settings(wanted)
            if tables:
                raise GatewayError(Code.READONLY, "Readers may not send external tables.")
            return
        if next(sql.tokens(query.sql), sql.NOTHING).text == "SET":
            wanted = {}  # what SET changes must be the session's own settings
        self._connection.apply_settings(wanted)
        if query.query_id != self._noted_id:
            self._connection.tag(f"{self._tag} {query.query_id}")
            self._noted_id = query.query_id

    def _send_timezone(self, query: Query) -> None:
        if self._wire.revision < revisions.TIMEZONE_UPDATES:
            return
        for setting in query.settings:
            if setting.name == "session_timezone":
                self._wire.send(server_packets.timezone_update(setting.value))

    @contextmanager
    def _registered(self, query: Query) -> Iterator[Watch]:
        """Make a query stoppable: by its client, by its id, and at the end of the server."""
        engine, watcher = self._shared.engine, self._shared.watcher
        watch = watcher.watch(self._wire.socket, lambda: engine.kill(self._tag))
        known = RunningQuery(query.query_id, self._account.name, query.sql, watch.cancel)
        try:
            with self._shared.query_ids.running(known):
                yield watch
        finally:
            watcher.end(watch)
            if watch.cancelled_by_client:
                self._wire.cancels()


@contextmanager
def _cancellable(watch: Watch) -> Iterator[None]:
    """Take the engine's word that it was cancelled for an end when the client wanted that."""
    try:
        yield
    except GatewayError as error:
        if not (watch.cancelled_by_client and error.code == Code.QUERY_WAS_CANCELLED):
            raise
