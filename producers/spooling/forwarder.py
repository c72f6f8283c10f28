"""Sends what the spool holds to Kafka in the background, in order, until it is acknowledged."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from modeltrail.producers.eventlog.framing import Framer
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure, Sender
from modeltrail.producers.per_process import ForkGate
from modeltrail.producers.spooling.fact import Address, SpooledFact, pack
from modeltrail.producers.spooling.spool import Mark, Spool
from modeltrail.schemas.errors import DecodeError, ModeltrailError
from modeltrail.schemas.topics import TOPICS, Topic

_LOG = logging.getLogger(__name__)
_BATCH = 500
_MOST_BATCHES_IN_FLIGHT = 40
_IDLE_S = 0.5
_POLL_S = 0.005
_LINGER_S = 0.005
_CONNECT_S = 0.5
_RETRY_S = 1.0
_TOPICS = {topic.name: topic for topic in TOPICS}


class _Batch:
    """Facts that were sent together; the mark behind them counts once all are answered."""

    def __init__(
        self, mark: Mark, size: int, refused: Callable[["_Batch", DeliveryFailure], None]
    ) -> None:
        self.mark = mark
        self.unanswered = size
        self.failed = False
        #: The addresses of its facts, each with the header of their values.
        self.ways: list[tuple[Address, bytes]] = []
        self._refused = refused

    def answered(self, failure: DeliveryFailure | None) -> None:
        """Count one answer; called once per fact, so nearly always this and no more."""
        self.unanswered -= 1
        if failure is not None:
            self._refused(self, failure)


class Forwarder:
    """One background thread that empties a spool, and closes it in the end."""

    def __init__(self, spool: Spool, sender: Sender, framer: Framer, gate: ForkGate) -> None:
        self._spool = spool
        self._sender = sender
        self._framer = framer
        self._gate = gate
        self._in_flight: deque[_Batch] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._sleeping = True
        self._thread = threading.Thread(target=self._run, name="modeltrail-forwarder", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that the spool holds something new."""
        if self._sleeping:
            self._sleeping = False
            self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Stop, and wait for that up to `timeout_s`: the thread closes the spool as it ends."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        self._wake.wait(_IDLE_S)
        with self._gate:
            self._try_step()
            self._sender.flush(_CONNECT_S)
        while not self._closing.is_set():
            self._try_step()
        self._spool.close()

    def _try_step(self) -> None:
        try:
            self._step()
        except ModeltrailError as error:
            _LOG.warning("facts wait in the spool: %s", error)
            self._pause()
        except Exception:
            # The facts are safe on disk: an unforeseen error may delay them, never lose them.
            _LOG.exception("forwarding failed; trying again")
            self._pause()

    def _step(self) -> None:
        # Nothing overtakes a failed fact: what follows it waits for the next round.
        failed = any(batch.failed for batch in self._in_flight)
        if failed or len(self._in_flight) >= _MOST_BATCHES_IN_FLIGHT:
            self._settle(_POLL_S)
            return
        facts, mark = self._spool.read(_BATCH)
        if mark is None or not facts:
            self._rest(mark)
            return
        batch = _Batch(mark, len(facts), self._refused)
        self._in_flight.append(batch)
        self._send(facts, batch)
        self._settle(0)
        if len(facts) < _BATCH:
            # Let more come together: a wake-up costs the caller more than the fact itself.
            self._closing.wait(_LINGER_S)

    def _rest(self, mark: Mark | None) -> None:
        if self._in_flight:
            self._settle(_POLL_S)
            return
        # Everything read was set aside: it counts as dealt with.
        if mark is not None and mark.segment.acked < mark.offset:
            self._spool.acknowledge(mark)
        self._wake.clear()
        self._sleeping = True
        self._wake.wait(_IDLE_S)
        self._sleeping = False

    def _send(self, facts: list[SpooledFact], batch: _Batch) -> None:
        unsent = len(facts)
        answered, send = batch.answered, self._sender.send
        last: Address | None = None
        try:
            for address, datum in facts:
                # Facts of one run come together: the way is looked up once for all of them.
                if address is not last:
                    last, header = address, self._header(address)
                    topic = _TOPICS.get(address.topic)
                    if header is not None:
                        batch.ways.append((address, header))
                if header is None or topic is None:
                    self._spool.put_aside(pack(address, datum), "of an unknown schema")
                    batch.unanswered -= 1
                elif not send(topic, address.key, header + datum, answered):
                    self._send_patiently(topic, address.key, header + datum, answered)
                unsent -= 1
        except BaseException:
            batch.unanswered -= unsent
            batch.failed = True
            raise

    def _send_patiently(self, topic: Topic, key: bytes, value: bytes, answered: Delivered) -> None:
        while True:
            if self._closing.is_set():
                raise ModeltrailError("closing")
            self._sender.poll(_POLL_S)
            if self._sender.send(topic, key, value, answered):
                return

    def _header(self, address: Address) -> bytes | None:
        """What goes in front of its datums; None: this release has no such schema."""
        try:
            return self._framer.header(address.record, address.version)
        except DecodeError:
            return None

    def _refused(self, batch: _Batch, failure: DeliveryFailure) -> None:
        if not failure.permanent:
            _LOG.warning("Kafka did not take a fact (%s): it is sent again", failure.detail)
            batch.failed = True
            return
        try:
            self._spool.put_aside(_packed(batch, failure), "refused by Kafka")
        except OSError as error:
            # Acknowledged it would be nowhere; and an error may not leave through Kafka's client.
            _LOG.warning("a fact that Kafka refuses cannot be kept: %s; it is sent again", error)
            batch.failed = True

    def _settle(self, wait_s: float) -> None:
        self._sender.poll(wait_s)
        while self._in_flight and self._in_flight[0].unanswered == 0:
            if self._in_flight[0].failed:
                self._resend()
                return
            self._spool.acknowledge(self._in_flight.popleft().mark)

    def _resend(self) -> None:
        # Everything after the failed fact goes again as well, so that order within a run holds.
        if all(batch.unanswered == 0 for batch in self._in_flight):
            self._in_flight.clear()
            self._spool.rewind()
            self._pause()

    def _pause(self) -> None:
        self._sender.poll(0)
        self._closing.wait(_RETRY_S)


def _packed(batch: _Batch, refused: DeliveryFailure) -> bytes:
    """What the spool held of a fact: its framed value alone would not say where it goes."""
    packed = (
        pack(address, refused.value[len(header) :])
        for address, header in batch.ways
        if address.key == refused.key and refused.value.startswith(header)
    )
    return next(packed, refused.value)
