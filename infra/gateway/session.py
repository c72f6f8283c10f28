"""One client's connection: hello, then packets until it leaves."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from dataclasses import dataclass

from modeltrail.infra.gateway.accounts import Account, authenticate
from modeltrail.infra.gateway.engine import TAG, EngineConnection
from modeltrail.infra.gateway.engine_config import role_of
from modeltrail.infra.gateway.errors import Code, EngineError, GatewayError, ProtocolError
from modeltrail.infra.gateway.protocol import revisions, server_packets
from modeltrail.infra.gateway.protocol.client_packets import (
    ClientPacket,
    Hello,
    read_addendum,
    read_hello,
    read_query,
)
from modeltrail.infra.gateway.queries import QueryRunner
from modeltrail.infra.gateway.shared import Shared
from modeltrail.infra.gateway.wire import Wire

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Opened:
    hello: Hello
    account: Account
    connection: EngineConnection


class Session:
    """Serves one socket in the calling thread."""

    def __init__(self, client: socket.socket, number: int, shared: Shared) -> None:
        self._wire = Wire(client, shared.timeouts)
        self._number = number
        self._shared = shared

    def serve(self) -> None:
        """Serve the client until it leaves; never raises for what a client does."""
        opened = None
        try:
            opened = self._open()
            self._serve_packets(opened)
        except EOFError:
            pass
        except GatewayError as error:
            _log.info("session %d ends: %s", self._number, error)
            self._say_and_leave(error)
        except OSError as error:
            _log.info("session %d ends: %s", self._number, error)
        except Exception:
            _log.exception("session %d ends with a fault of the gateway", self._number)
            self._say_and_leave(ProtocolError(Code.LOGICAL_ERROR, "A fault of the gateway."))
        finally:
            self._wire.close()
            if opened is not None:
                opened.connection.close()

    def refuse(self, error: GatewayError) -> None:
        """Tell a client that is not served why, and leave."""
        self._say_and_leave(error)
        self._wire.close()

    def _open(self) -> _Opened:
        hello = read_hello(self._wire.source)
        account = authenticate(self._shared.accounts, hello.user, hello.password)
        if account is None:
            raise ProtocolError(
                Code.AUTHENTICATION_FAILED,
                f"{hello.user}: Authentication failed: password is incorrect, or there is no user "
                "with such name.",
            )
        connection = self._shared.engine.connect()
        try:
            _prepare(connection, account, hello.database, self._tag)
        except BaseException:
            connection.close()
            raise
        self._wire.send(server_packets.hello(self._shared.engine.version, hello.revision))
        self._wire.revision = hello.revision
        return _Opened(hello, account, connection)

    def _serve_packets(self, opened: _Opened) -> None:
        wire, revision = self._wire, opened.hello.revision
        if revision >= revisions.ADDENDUM:
            read_addendum(wire.source, revision)
        runner = QueryRunner(wire, opened.connection, opened.account, self._shared, self._tag)
        while True:
            match wire.next_packet():
                case ClientPacket.PING:
                    wire.send(server_packets.PONG)
                case ClientPacket.CANCEL:
                    continue  # came after the end of its query
                case ClientPacket.QUERY:
                    query = read_query(wire.source, revision, self._shared.setting_kind)
                    runner.run(query)
                case packet:
                    raise ProtocolError(
                        Code.UNKNOWN_PACKET_FROM_CLIENT
                        if packet > ClientPacket.PING
                        else Code.UNEXPECTED_PACKET_FROM_CLIENT,
                        f"Packet {packet} of a client is not supported here.",
                    )

    @property
    def _tag(self) -> str:
        return f"{TAG}{self._number}"

    def _say_and_leave(self, error: GatewayError) -> None:
        with suppress(OSError, EOFError):
            self._wire.send(server_packets.exception(error))
            self._wire.finish()


def _prepare(connection: EngineConnection, account: Account, database: str, tag: str) -> None:
    """Give a connection its account's rights and the client's database.

    Raises:
        GatewayError: there is no such database, or the reader may not use it.
    """
    wanted = database or (account.databases[0] if account.databases else "default")
    if account.role == "reader" and wanted not in account.databases:
        raise ProtocolError(
            Code.ACCESS_DENIED, f"Not enough privileges: no access to the database {wanted}."
        )
    connection.tag(f"{tag} ")
    connection.remember_session_settings()
    connection.take_role(role_of(account))
    try:
        connection.use(wanted)
    except EngineError as error:
        if account.role == "writer" or database or error.code != Code.UNKNOWN_DATABASE:
            raise ProtocolError(error.code, error.message) from None
    if account.role == "reader":
        connection.restrict(account.limits)
