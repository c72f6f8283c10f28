"""Tells the log what a node does: at every change and at every heartbeat, while Kafka listens."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from modeltrail.infra.clock import Clock
from modeltrail.producers.eventlog.framing import Framer, newest_version
from modeltrail.producers.eventlog.port import DeliveryFailure, Log, Sender
from modeltrail.producers.per_process import ForkGate
from modeltrail.schemas.codec import SchemaIds, encode_datum
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import Fact, NodeReported
from modeltrail.schemas.ids import NodeId
from modeltrail.schemas.topics import NODES, key_of

_LOG = logging.getLogger(__name__)
_MOST_WAITING = 1000
_POLL_S = 0.02
_RETRY_S = 1.0
_GIVE_UP_S = 300.0
_CONNECT_S = 0.5


class Reporter:
    """One thread that sends a node's facts in order; it never holds the node up."""

    def __init__(
        self,
        log: Log,
        schema_ids: Callable[[], SchemaIds],
        node_id: NodeId,
        heartbeat_s: float,
        clock: Clock,
        first: Fact,
        report: Callable[[], NodeReported],
    ) -> None:
        """Start; a report is due at once.

        Args:
            log: where the facts go.
            schema_ids: called in the thread.
            node_id: whose facts they are.
            heartbeat_s: longest time between reports, s.
            clock: whose monotonic time heartbeats follow.
            first: sent before everything else.
            report: makes the report of this moment.
        """
        self._log = log
        self._schema_ids = schema_ids
        self._key = key_of(node_id)
        self._heartbeat_s = heartbeat_s
        self._gate = ForkGate()
        self._clock = clock
        self._report = report
        self._waiting: deque[Fact] = deque((first,), maxlen=_MOST_WAITING)
        self._is_due = True
        self._in_flight = 0
        self._next_heartbeat = clock.monotonic()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._deadline = 0.0
        self._thread = threading.Thread(target=self._run, name="modeltrail-reporter", daemon=True)
        self._thread.start()

    def say(self, fact: Fact) -> None:
        """Send a fact; of more than 1,000 that wait for Kafka the oldest are left out."""
        self._waiting.append(fact)
        self._wake.set()

    def changed(self) -> None:
        """Send a report soon."""
        self._is_due = True
        self._wake.set()

    def close(self, last: Fact, timeout_s: float) -> None:
        """Send what waits and a last fact within `timeout_s`, and stop."""
        self._deadline = time.monotonic() + timeout_s
        self._waiting.append(last)
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            sender = self._log.sender(queue_records=_MOST_WAITING, give_up_after_s=_GIVE_UP_S)
            framer = Framer(self._schema_ids(), self._gate)
            with self._gate:
                self._work(sender, framer)
                sender.flush(_CONNECT_S)
            while not self._closing.is_set():
                self._rest()
                if not self._work(sender, framer):
                    self._closing.wait(_RETRY_S)
            self._work(sender, framer)
            sender.flush(max(0.0, self._deadline - time.monotonic()))
        except Exception:
            _LOG.exception("the node cannot report: correct the Kafka settings")

    def _rest(self) -> None:
        # What was answered while there was news already does not wait for the next heartbeat.
        if self._is_due and not self._in_flight:
            return
        # Answers are only taken by polling; without any on their way the thread sleeps.
        left = self._next_heartbeat - self._clock.monotonic()
        self._wake.wait(_POLL_S if self._in_flight else max(0.0, left))
        self._wake.clear()

    def _work(self, sender: Sender, framer: Framer) -> bool:
        """Send what there is to say; False: try again in a while."""
        try:
            while self._waiting:
                self._send(sender, framer, self._waiting[0])
                self._waiting.popleft()
            if self._clock.monotonic() >= self._next_heartbeat:
                self._is_due = True
            # While one is on its way the next waits: no old news pile up while Kafka is away.
            if self._is_due and not self._in_flight and not self._closing.is_set():
                self._is_due = False
                self._next_heartbeat = self._clock.monotonic() + self._heartbeat_s
                self._send(sender, framer, self._report())
            sender.poll(0)
        except ModeltrailError as error:
            self._is_due = True
            _LOG.warning("the node's reports wait: %s", error)
            return False
        except Exception:
            self._is_due = True
            _LOG.exception("reporting failed; trying again")
            return False
        return True

    def _send(self, sender: Sender, framer: Framer, fact: Fact) -> None:
        header = framer.header(fact.record, newest_version(fact.record))
        if not sender.send(NODES, self._key, header + encode_datum(fact), self._answered):
            sender.poll(_POLL_S)
            raise ModeltrailError("Kafka has not taken the facts before")
        self._in_flight += 1

    def _answered(self, failure: DeliveryFailure | None) -> None:
        self._in_flight -= 1
        if failure is not None:
            _LOG.warning("Kafka did not take a report: %s", failure.detail)
