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


def test_a_session_that_reads_first_does_not_hold_the_watcher_up() -> None:
    # given a session whose socket waits long, and another one
    session, client = socket.socketpair()
    session.settimeout(3600)
    other_session, other_client = socket.socketpair()
    watcher = Watcher()
    # when the watcher is told again and again of a byte that the session has already taken
    for _ in range(2_000):
        watch = watcher.watch(session, lambda: None)
        client.send(bytes([ClientPacket.PING]))
        session.recv(1)
        watcher.end(watch)
    # then it still notices what the other's client does
    stopped = threading.Event()
    watch = watcher.watch(other_session, stopped.set)
    other_client.send(bytes([ClientPacket.CANCEL]))
    assert stopped.wait(timeout=30)
    watcher.end(watch)
    watcher.close()
    for end in (session, client, other_session, other_client):
        end.close()


def test_a_query_that_ends_while_it_is_cancelled_ends_once() -> None:
    # given queries that end at the moment at which another thread cancels them
    session, client = socket.socketpair()
    watcher = Watcher()
    for _ in range(500):
        watch = watcher.watch(session, lambda: None)
        canceller = threading.Thread(target=watch.cancel)
        canceller.start()
        # when the session ends its query
        watcher.end(watch)
        canceller.join()
        # then nothing is left that tries to stop it
        assert not any("_stop_until_ended" in thread.name for thread in threading.enumerate())
    watcher.close()
    session.close()
    client.close()


def test_it_leaves_no_socket_open_whatever_it_had_not_looked_at_yet() -> None:
    session, client = socket.socketpair()
    for _ in range(200):
        # given queries that began, and one that ended, just before the watcher is closed
        watcher = Watcher()
        watches = [watcher.watch(session, lambda: None) for _ in range(3)]
        watcher.end(watches[0])
        # when it is closed
        watcher.close()
        # then their sockets are
        assert [watch.socket.fileno() for watch in watches] == [-1] * 3
    session.close()
    client.close()
