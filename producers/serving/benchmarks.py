"""Answers, beside the serving, the benchmarks that this node is asked for."""

import logging
import threading
from collections.abc import Sequence

from modeltrail.infra.config import Settings
from modeltrail.schemas.ids import NodeId

_LOG = logging.getLogger(__name__)
_RETRY_S = 5.0


class BenchmarkDesk:
    """One thread; the measuring itself is done in processes of its own."""

    def __init__(
        self, settings: Settings, node_id: NodeId, providers: Sequence[str] | None, threads: int
    ) -> None:
        """Start to listen.

        Args:
            settings: where the servers are.
            node_id: this node.
            providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
            threads: threads of one run, as many as the node's sessions have.
        """
        self.is_listening = threading.Event()
        self._settings = settings
        self._node_id = node_id
        self._providers = providers
        self._threads = threads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modeltrail-benchmarks", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop; a benchmark under way is given up, and asked for again elsewhere."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        # Imported here: a node that answers no benchmarks carries none of it.
        from modeltrail.producers.benchmarking.answering import answer_benchmarks

        while not self._stop.is_set():
            try:
                answer_benchmarks(
                    self._settings,
                    self._node_id,
                    self._stop,
                    on_ready=self.is_listening.set,
                    providers=self._providers,
                    threads=self._threads,
                )
            except Exception:
                # Benchmarks may fail; the node serves on.
                _LOG.exception("benchmarks are not answered for now; trying again")
                self._stop.wait(_RETRY_S)
