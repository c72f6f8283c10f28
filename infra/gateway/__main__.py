"""`python -m modeltrail.infra.gateway`: serve ClickHouse's native protocol on a data directory."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Final

from modeltrail.infra.gateway.accounts import AccountsError, parse_accounts
from modeltrail.infra.gateway.server import DataDirectoryLocked, Server, locked, running_engine
from modeltrail.infra.gateway.wire import Timeouts

_log = logging.getLogger(__name__)
#: After this long the process says where it hangs and ends all the same.
_LONGEST_END_S: Final = 45.0


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal ends it; returns the exit code, 2 when it cannot start."""
    options = _parse(arguments)
    logging.basicConfig(
        level=options.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        accounts = parse_accounts(options.accounts.read_text(encoding="utf-8"))
        timeouts = Timeouts(options.hello_timeout, options.idle_timeout, options.packet_timeout)
        with (
            locked(options.data_dir),
            running_engine(options.data_dir, accounts, timeouts) as shared,
        ):
            server = Server(shared, options.port, options.max_connections)
            _stop_at_signal(server)
            print(f"ready 127.0.0.1:{server.port}", flush=True)
            server.serve()
            if not server.close():
                _log.error("A session does not end: leaving without closing the engine.")
                os._exit(1)
    except (AccountsError, DataDirectoryLocked, OSError) as error:
        print(f"The gateway cannot start. {error}", file=sys.stderr)
        return 2
    return 0


def _stop_at_signal(server: Server) -> None:
    # A signal that reaches one of the engine's threads does not wake the main one from accept(),
    # and only the main one runs Python's handlers; the byte in this pipe comes in any case.
    told, tell = socket.socketpair()
    tell.setblocking(False)

    def stop() -> None:
        told.recv(1)
        faulthandler.dump_traceback_later(_LONGEST_END_S, exit=True)
        server.stop_accepting()

    threading.Thread(target=stop, name="signals", daemon=True).start()
    signal.set_wakeup_fd(tell.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m modeltrail.infra.gateway", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="where the tables are kept")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--accounts", type=Path, required=True, help="JSON file of accounts")
    parser.add_argument("--max-connections", type=int, default=128)
    parser.add_argument("--hello-timeout", type=float, default=10, help="seconds")
    parser.add_argument("--idle-timeout", type=float, default=3600, help="seconds")
    parser.add_argument("--packet-timeout", type=float, default=300, help="seconds")
    parser.add_argument("--log-level", default="WARNING")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's background threads can outlast the interpreter; everything is closed by now.
    os._exit(code)
