"""A real HTTP server that takes alerts, and fails on purpose when it is told to."""

import json
import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_HANG_S = 30.0


@dataclass(frozen=True)
class Request:
    """What was posted."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """How a request is answered; `taken` says whether the receiver keeps it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: bool = True
    hang: bool = False
    cut: bool = False
    body: bytes = b""


TAKE = Answer()
FAIL = Answer(500, taken=False)
HANG = Answer(taken=False, hang=True)
CUT = Answer(taken=False, cut=True)
TAKE_AND_CUT = Answer(taken=True, cut=True)

Script = Callable[[Request], Answer]


class Receiver:
    """A server on one port that can be stopped and started again; `script` decides each answer."""

    def __init__(self, script: Script = lambda _: TAKE) -> None:
        self.script = script
        self.taken: list[Request] = []
        self.attempts = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._port = self._reserve_port()
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _reserve_port(self) -> int:
        """A port that no client is given as its own while nobody listens there."""
        held = socket.socket()
        weakref.finalize(self, held.close)
        # Both sockets have this, or the one that listens would find the address in use.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port

    def start(self) -> None:
        """Listen, on the same port as before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.answer(self)

            def log_message(self, *_: Any) -> None:
                return None

        self._closing.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Do with a request what the script says."""
        length = int(handler.headers["content-length"])
        body = handler.rfile.read(length)
        if len(body) < length:
            # The sender died while it sent: HTTP calls that an incomplete message (RFC 9112, 8),
            # and what is incomplete was not delivered.
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.path, headers, body)
        with self._lock:
            self.attempts += 1
            down = self._closing.is_set()
            answer = CUT if down else self.script(request)
            if answer.taken and answer.status < 300:
                self.taken.append(request)
        if answer.hang:
            self._closing.wait(LONGEST_HANG_S)
        if answer.hang or answer.cut:
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)
