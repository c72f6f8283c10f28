"""The receiver that the delivery tests trust keeps what came whole, and nothing else."""

import socket

import httpx2
import pytest

from tests.integration.sinks.receiver import Receiver
from tests.waiting import eventually

WHOLE = b'{"event_id": "whole"}'
HEAD = b"POST / HTTP/1.1\r\nhost: receiver\r\ncontent-length: %d\r\n\r\n" % len(WHOLE)


@pytest.mark.parametrize("sent", [b"", WHOLE[:7]], ids=["no body", "a part of the body"])
def test_a_request_of_a_sender_that_died_while_it_sent_is_not_taken(sent: bytes) -> None:
    receiver = Receiver()
    with socket.create_connection(("127.0.0.1", int(receiver.url.rpartition(":")[2]))) as sender:
        sender.sendall(HEAD + sent)
        sender.shutdown(socket.SHUT_WR)
        answered = sender.recv(1)
    httpx2.post(receiver.url, content=WHOLE)
    eventually(lambda: receiver.taken)
    receiver.stop()

    assert answered == b""
    assert [request.body for request in receiver.taken] == [WHOLE]
