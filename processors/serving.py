"""Runs a Faust app until a signal comes, and ends the process on a fault."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine
from typing import Any

EXIT_ON_FAULT = 70
LONGEST_STOP_S = 20.0

_log = logging.getLogger(__name__)


async def serve(app: Any, longest_stop_s: float = LONGEST_STOP_S) -> None:
    """Start an app and stop it at SIGTERM or SIGINT, within `longest_stop_s` seconds."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await app.start()
    # Faust goes on without its consumer where that has failed.
    if await app.wait_for_stopped(stop.wait()):
        die("Faust has stopped", app.crash_reason)
    # Without a broker Faust waits for ever, and being cancelled does not keep it from that; what
    # is not committed is read again.
    stopping = asyncio.ensure_future(app.stop())
    _, unfinished = await asyncio.wait((stopping,), timeout=longest_stop_s)
    if unfinished:
        die(f"Faust did not stop within {longest_stop_s:g} s", None)
    stopping.result()


async def or_die(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; on a fault end the process before Faust acks what was not done."""
    try:
        await work
    except Exception as error:
        die("a record could not be processed", error)


def die(what: str, error: BaseException | None) -> None:
    """Say what is wrong, and end the process at once."""
    _log.critical("the processors stop: %s", what, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_ON_FAULT)
