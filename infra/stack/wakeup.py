"""Wakes a waiting supervisor: by a signal, by a child that ended, by a lifeline that closed."""

import os
import selectors
import signal
import socket
from types import FrameType


class Wakeup:
    """Waits without polling and without threads; `stopping` tells whether it is time to go.

    Args:
        lifeline: a file descriptor whose end of file means that our starter is gone, or None.
    """

    def __init__(self, lifeline: int | None) -> None:
        self.stopping = False
        self._lifeline = lifeline
        self._woken, self._waking = socket.socketpair()
        for end in (self._woken, self._waking):
            end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        if lifeline is not None:
            self._selector.register(lifeline, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # A handler that does nothing still makes the signal write to the wake-up socket.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def wait(self, timeout_s: float | None) -> None:
        """Return at the next signal, when the lifeline closes, or after `timeout_s`."""
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._woken:
                self._woken.recv(4096)
            elif self._lifeline is not None and not os.read(self._lifeline, 4096):
                self._selector.unregister(self._lifeline)
                self.stopping = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
