"""Deletes in the background what erasures left in a store that did not answer, until it is gone."""

import logging
import threading
from collections.abc import Callable, Set

from modeltrail.producers.per_process import ForkGate, PerProcess
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.ids import ModelId

_LOG = logging.getLogger(__name__)
_THREAD_STOP_S = 1.0


class Leftovers:
    """Models whose erased bytes may still be there; a forked child owes nothing of its parent's."""

    def __init__(self, delete: Callable[[ModelId], object], retry_s: float) -> None:
        """Prepare; there is no thread before something is owed.

        Args:
            delete: deletes what erasures left of one model; called again after an error.
            retry_s: how long before the first try and between tries, s.
        """
        self._sweeps = PerProcess(lambda: _Sweep(delete, retry_s))

    def owe(self, model_ids: Set[ModelId]) -> None:
        """Delete what erasures left of these models, soon."""
        self._sweeps.get().add(model_ids)

    def close(self) -> None:
        """Try no more."""
        if sweep := self._sweeps.take():
            sweep.close()


class _Sweep:
    """The thread of one process, there while something is owed."""

    def __init__(self, delete: Callable[[ModelId], object], retry_s: float) -> None:
        self._delete = delete
        self._retry_s = retry_s
        self._gate = ForkGate()
        self._lock = threading.Lock()
        self._owed: set[ModelId] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, model_ids: Set[ModelId]) -> None:
        with self._lock:
            self._owed |= model_ids
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="modeltrail-leftovers", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(_THREAD_STOP_S)

    def _run(self) -> None:
        while not self._stop.wait(self._retry_s):
            with self._lock:
                owed, self._owed = self._owed, set()
            kept = {model_id for model_id in owed if not self._is_done(model_id)}
            with self._lock:
                # Others may have come meanwhile, also of a model that was just done.
                self._owed |= kept
                if not self._owed:
                    self._thread = None
                    return

    def _is_done(self, model_id: ModelId) -> bool:
        if self._stop.is_set():
            return False
        try:
            with self._gate:
                self._delete(model_id)
        except ModeltrailError as error:
            _LOG.warning("an erased artifact of %.80s may still be there: %s", model_id, error)
            return False
        except Exception:
            _LOG.exception("an erased artifact of %.80s may still be there", model_id)
            return False
        return True
