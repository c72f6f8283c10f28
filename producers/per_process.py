"""Keeps what may not cross a fork (threads, sockets, librdkafka handles) to one per process.

A forked child inherits librdkafka handles without their threads; destroying one hangs for ever
(measured). So the child never touches or frees what it inherited, and makes its own at first use.
"""

import atexit
import ctypes
import os
import sys
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
_FORK_PATIENCE_S = 1.0


class Once(Generic[T]):
    """One `T`, made at first use; a forked child shares it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        #: The `T` if it was made already; an attribute, for hot paths.
        self.made: T | None = None
        self._lock = threading.Lock()

    def get(self) -> T:
        """The `T`."""
        value = self.made
        if value is not None:
            return value
        with self._lock:
            if self.made is None:
                self.made = self._make()
            return self.made

    def take(self) -> T | None:
        """Give the `T` away, to be closed; a later `get` makes another."""
        with self._lock:
            value, self.made = self.made, None
        return value


class PerProcess(Once[T]):
    """One `T` per process, made at first use; for what lasts, as a registration at fork does."""

    def __init__(self, make: Callable[[], T], forget: Callable[[T], None] | None = None) -> None:
        """Prepare.

        Args:
            make: makes this process's value.
            forget: called in a forked child with the value it inherited.
        """
        super().__init__(make)
        self._drop = forget
        os.register_at_fork(after_in_child=_weakly(self._forget))

    def _forget(self) -> None:
        # Another thread of the parent may have held the old lock, which nobody would release.
        self._lock = threading.Lock()
        if self.made is not None:
            _never_free(self.made)
            if self._drop is not None:
                self._drop(self.made)
            self.made = None


class ForkGate:
    """A block that a fork waits for, up to a second; the thread inside may enter again.

    A child forked while another thread imports a module can never import it, as the module's lock
    was copied locked; the same goes for the C library's name resolution (both measured, the first
    in the HTTP client). So threads of ours make their first calls behind this gate.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holders: set[int] = set()
        os.register_at_fork(
            before=_weakly(self._before),
            after_in_parent=_weakly(self._after_in_parent),
            after_in_child=_weakly(self._after_in_child),
        )

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def _before(self) -> None:
        if self._lock.acquire(timeout=_FORK_PATIENCE_S):
            self._holders.add(threading.get_ident())

    def _after_in_parent(self) -> None:
        if threading.get_ident() in self._holders:
            self._holders.discard(threading.get_ident())
            self._lock.release()

    def _after_in_child(self) -> None:
        self._lock = threading.RLock()
        self._holders.clear()


def at_exit(close: Callable[[], object]) -> None:
    """Call the bound method `close` when this process exits, unless its object is gone by then.

    Children of `multiprocessing` skip atexit, but run its finalizers.
    """
    call = _weakly(close)
    atexit.register(call)
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, call, exitpriority=10)


def _weakly(method: Callable[[], object]) -> Callable[[], None]:
    # Registrations at exit and fork last as long as the process; they must not keep objects alive.
    reference = weakref.WeakMethod(method)

    def call() -> None:
        bound = reference()
        if bound is not None:
            bound()

    return call


def _never_free(value: object) -> None:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))
