"""The watcher goes on watching, however quickly a client's queries follow each other."""

import socket
import threading

from modeltrail.infra.gateway.protocol.client_packets import ClientPacket
from modeltrail.infra.gateway.watcher import Watcher


def test_a_client_that_asks_one_query_after_the_other_is_still_watched_in_the_end() -> None:
    # given a session whose queries begin and end faster than the watcher wakes up
    session, client = socket.socketpair()
    watcher = Watcher()
    for _ in range(2_000):
        watcher.end(watcher.watch(session, lambda: None))
    # when the client cancels its next query
    stopped = threading.Event()
    watch = watcher.watch(session, stopped.set)
    client.send(bytes([ClientPacket.CANCEL]))
    # then the watcher notices
    assert stopped.wait(timeout=30)
    watcher.end(watch)
    watcher.close()
    session.close()
    client.close()
