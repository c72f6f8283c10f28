"""Says in the background that runs are alive: one thread for all runs of a tracker."""

import logging
import threading
from collections.abc import Callable

from modeltrail.producers.experiments.open_run import OpenRun
from modeltrail.producers.per_process import ForkGate, PerProcess, at_exit
from modeltrail.schemas.errors import ModeltrailError

_LOG = logging.getLogger(__name__)
_THREAD_STOP_S = 1.0


class Heartbeat:
    """Calls `beat` for every run that was added, each `interval_s`; 0: never.

    A forked child beats for the runs that it starts, not for those of its parent.
    """

    def __init__(self, beat: Callable[[OpenRun], None], interval_s: float) -> None:
        self.interval_s = interval_s
        self._beat = beat
        self._pulse = PerProcess(self._open)

    def add(self, run: OpenRun) -> None:
        """Beat for `run` from now on."""
        if self.interval_s > 0:
            self._pulse.get().add(run)

    def remove(self, run: OpenRun) -> None:
        """Beat for `run` no longer; without any run there is no thread."""
        if pulse := self._pulse.made:
            pulse.remove(run)

    def close(self) -> None:
        """Beat for no run any more."""
        if pulse := self._pulse.take():
            pulse.close()

    def _open(self) -> "_Pulse":
        at_exit(self.close)
        return _Pulse(self._beat, self.interval_s)


class _Pulse:
    """The thread of one process, there while it has runs."""

    def __init__(self, beat: Callable[[OpenRun], None], interval_s: float) -> None:
        self._beat = beat
        self._interval_s = interval_s
        self._gate = ForkGate()
        self._lock = threading.Lock()
        self._runs: dict[str, OpenRun] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, run: OpenRun) -> None:
        with self._lock:
            self._runs[run.run_id] = run
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stop,), name="modeltrail-heartbeat", daemon=True
                )
                self._thread.start()

    def remove(self, run: OpenRun) -> None:
        with self._lock:
            self._runs.pop(run.run_id, None)
            if not self._runs:
                self._stop.set()
                self._thread = None

    def close(self) -> None:
        with self._lock:
            self._runs.clear()
            self._stop.set()
            thread, self._thread = self._thread, None
        if thread is not None:
            # What beats after the spool was closed would open it again.
            thread.join(_THREAD_STOP_S)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._interval_s):
            with self._lock:
                runs = list(self._runs.values())
            for run in runs:
                if not stop.is_set() and not run.ended:
                    self._try_beat(run)

    def _try_beat(self, run: OpenRun) -> None:
        try:
            with self._gate:
                self._beat(run)
        except ModeltrailError as error:
            _LOG.warning("run %.80s has no heartbeat for now: %s", run.run_id, error)
        except Exception:
            _LOG.exception("run %.80s has no heartbeat for now", run.run_id)
