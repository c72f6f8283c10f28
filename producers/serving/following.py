"""Reads the routing of one environment: all that holds now at the start, then every change."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing

from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.producers.per_process import ForkGate
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.errors import DecodeError, ModeltrailError
from modeltrail.schemas.events import RoutingSet
from modeltrail.schemas.ids import ModelId
from modeltrail.schemas.topics import ROUTING, key_of

_LOG = logging.getLogger(__name__)
_POLL_S = 0.2
_RETRY_S = 1.0


class Follower:
    """One thread that hands every routing of an environment on, in the order of the log."""

    def __init__(
        self,
        log: Log,
        schema_ids: Callable[[], SchemaIds],
        environment: str,
        on_routing: Callable[[RoutingSet], None],
        on_withdrawal: Callable[[ModelId], None],
    ) -> None:
        """Start to follow.

        Args:
            log: where the routing is; while it is away nothing changes.
            schema_ids: called in the thread.
            environment: whose routing.
            on_routing: hears of each routing.
            on_withdrawal: hears of a model whose routing was deleted.
        """
        self.caught_up = threading.Event()
        self._log = log
        self._schema_ids = schema_ids
        self._environment = environment
        self._prefix = key_of(environment, "")
        self._gate = ForkGate()
        self._on_routing = on_routing
        self._on_withdrawal = on_withdrawal
        self._positions: dict[int, int] = {}
        self._ends: dict[int, int] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modeltrail-routing", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop following."""
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._gate:
                    codec = Codec(self._schema_ids())
                    self._find_ends()
                self._follow(codec)
            except ModeltrailError as error:
                _LOG.warning("the routing is not followed for now: %s", error)
            except Exception:
                # A node serves what it has, whatever happens here.
                _LOG.exception("following the routing failed; trying again")
            self._closing.wait(_RETRY_S)

    def _find_ends(self) -> None:
        if self._ends is not None:
            return
        partitions = tuple(range(self._log.partitions(ROUTING)))
        self._ends = self._log.end_offsets(ROUTING, partitions)
        self._positions = dict.fromkeys(partitions, 0)
        self._look_whether_caught_up()

    def _follow(self, codec: Codec) -> None:
        with closing(self._log.cursor(ROUTING, self._positions)) as cursor:
            while not self._closing.is_set():
                for record in cursor.poll(_POLL_S):
                    self._take(codec, record)
                    self._positions[record.partition] = record.offset + 1
                self._look_whether_caught_up()

    def _take(self, codec: Codec, record: LogRecord) -> None:
        key = record.key or b""
        if not key.startswith(self._prefix):
            return
        if record.value is None:
            self._on_withdrawal(ModelId(key[len(self._prefix) :].decode(errors="replace")))
            return
        try:
            fact = codec.decode(record.value)
        except DecodeError as error:
            _LOG.warning("a routing that cannot be read is passed over: %s", error)
            return
        if isinstance(fact, RoutingSet) and fact.environment == self._environment:
            self._on_routing(fact)

    def _look_whether_caught_up(self) -> None:
        if self.caught_up.is_set() or self._ends is None:
            return
        if all(self._positions[partition] >= end for partition, end in self._ends.items()):
            self.caught_up.set()
