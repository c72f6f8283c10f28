"""Carries measurements from a node's frame loop to Kafka in the background, or counts the loss."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import MonitoringSettings
from modeltrail.producers.eventlog.framing import Framer, newest_version
from modeltrail.producers.eventlog.port import DeliveryFailure, Log, Sender
from modeltrail.producers.monitoring.capture_clock import CaptureClock
from modeltrail.producers.monitoring.measures import Measurement, MeasurementEncoder, Origin
from modeltrail.producers.per_process import ForkGate
from modeltrail.schemas.codec import SchemaIds, encode_datum
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import InferenceMeasured, MeasurementsDropped
from modeltrail.schemas.ids import Micros, new_event_id
from modeltrail.schemas.topics import INFERENCE, NODES, key_of

_LOG = logging.getLogger(__name__)
_SLICE = 32
_YIELD_S = 0.0002
_TICK_S = 0.02
_RETRY_S = 1.0
_GIVE_UP_S = 300.0
_CONNECT_S = 0.5


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of measurements so far.

    `dropped` left the full queue, `refused` did not fit the schema, `undeliverable` were given up
    by the Kafka client, `unsettled` are queued or without an answer yet.
    """

    sent: int
    dropped: int
    refused: int
    undeliverable: int
    unsettled: int

    @property
    def lost(self) -> int:
        """All that Kafka will never have."""
        return self.dropped + self.refused + self.undeliverable


NOTHING_YET = Counts(0, 0, 0, 0, 0)


class Courier:
    """One bounded queue and one background thread; `offer` never blocks and never raises."""

    def __init__(
        self,
        settings: MonitoringSettings,
        origin: Origin,
        log: Log,
        schema_ids: Callable[[], SchemaIds],
        clock: Clock,
        capture: CaptureClock,
    ) -> None:
        self._settings = settings
        self._origin = origin
        self._log = log
        self._schema_ids = schema_ids
        self._clock = clock
        self._capture = capture
        self._encoder = MeasurementEncoder(origin)
        self._key = key_of(origin.model.model_id, origin.node_id)
        self._queue: deque[Measurement] = deque()
        self._capacity = settings.queue_capacity
        self._lock = threading.Lock()
        self._taken: deque[bytes] = deque()
        self._dropped = self._sent = self._refused = self._undeliverable = self._in_flight = 0
        self._reported = NOTHING_YET
        self._report_in_flight = False
        self._next_report = clock.monotonic() + settings.report_interval_s
        self._closing = threading.Event()
        self._deadline = 0.0
        self._gate = ForkGate()
        self._thread = threading.Thread(target=self._run, name="modeltrail-courier", daemon=True)
        self._thread.start()

    def offer(self, measurement: Measurement) -> None:
        """Queue one measurement; a full queue loses its oldest, which is counted."""
        with self._lock:
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(measurement)

    def counts(self) -> Counts:
        """What became of the measurements so far."""
        return Counts(
            sent=self._sent,
            dropped=self._dropped,
            refused=self._refused,
            undeliverable=self._undeliverable,
            unsettled=len(self._queue) + len(self._taken) + self._in_flight,
        )

    def close(self, timeout_s: float) -> None:
        """Send what is queued within `timeout_s`, report the loss, and stop."""
        self._deadline = time.monotonic() + timeout_s
        self._closing.set()
        self._thread.join(timeout_s)
        counts = self.counts()
        if counts.unsettled or counts.lost:
            _LOG.warning(
                "%d measurements were sent; %d were lost, and Kafka has not answered for %d",
                counts.sent,
                counts.lost,
                counts.unsettled,
            )

    def _run(self) -> None:
        try:
            self._carry()
        except Exception:
            _LOG.exception("measurements cannot be sent: correct the Kafka settings")

    def _carry(self) -> None:
        sender = self._log.sender(
            queue_records=max(self._capacity, 1000), give_up_after_s=_GIVE_UP_S
        )
        framer = Framer(self._schema_ids(), self._gate)
        with self._gate:
            self._work(sender, framer)
            sender.flush(_CONNECT_S)
        while not self._closing.wait(_TICK_S):
            if not self._work(sender, framer):
                self._closing.wait(_RETRY_S)
        while (sendable := self._work(sender, framer)) and self._left_s() > 0:
            if not self._queue and not self._taken:
                break
        sender.flush(max(0.0, self._left_s()))
        if sendable:
            self._report(sender, framer)
            sender.flush(max(0.0, self._left_s()))

    def _work(self, sender: Sender, framer: Framer) -> bool:
        """Move what is there on; False: try again in a while."""
        try:
            self._send_queued(sender, framer)
            if self._clock.monotonic() >= self._next_report:
                self._next_report += self._settings.report_interval_s
                self._report(sender, framer)
        except ModeltrailError as error:
            _LOG.warning("measurements wait: %s", error)
            return False
        except Exception:
            # A node's telemetry may fail; it may not end.
            _LOG.exception("sending measurements failed; trying again")
            return False
        return True

    def _send_queued(self, sender: Sender, framer: Framer) -> None:
        header = framer.header(InferenceMeasured.record, newest_version(InferenceMeasured.record))
        self._capture.follow()
        while self._take_slice():
            while self._taken:
                if not self._send(sender, header + self._taken[0]):
                    sender.poll(_TICK_S)
                    return
                self._taken.popleft()
            sender.poll(0)
            # Small slices: the frame loop never waits long for the interpreter.
            time.sleep(_YIELD_S)
        sender.poll(0)

    def _take_slice(self) -> bool:
        if self._taken:
            return True
        with self._lock:
            measurements = [self._queue.popleft() for _ in range(min(_SLICE, len(self._queue)))]
        for measurement in measurements:
            try:
                self._taken.append(self._encoder.encode(measurement, self._capture))
            except (ValueError, TypeError, OverflowError) as error:
                self._refused += 1
                _LOG.warning("refused the measurement of frame %d: %s", measurement[0], error)
        return bool(measurements)

    def _send(self, sender: Sender, value: bytes) -> bool:
        self._in_flight += 1
        if sender.send(INFERENCE, self._key, value, self._answered):
            return True
        self._in_flight -= 1
        return False

    def _answered(self, failure: DeliveryFailure | None) -> None:
        self._in_flight -= 1
        if failure is None:
            self._sent += 1
        else:
            self._undeliverable += 1

    def _report(self, sender: Sender, framer: Framer) -> None:
        counts = self.counts()
        if counts.lost == self._reported.lost or self._report_in_flight:
            return
        previous = self._reported
        report = MeasurementsDropped(
            event_id=new_event_id(),
            occurred_at=Micros(self._clock.now_us()),
            node_id=self._origin.node_id,
            session_id=self._origin.session_id,
            model_id=self._origin.model.model_id,
            dropped=counts.dropped - previous.dropped,
            undeliverable=counts.lost - previous.lost - (counts.dropped - previous.dropped),
            sent=counts.sent - previous.sent,
        )
        header = framer.header(report.record, newest_version(report.record))

        def answered(failure: DeliveryFailure | None) -> None:
            self._report_in_flight = False
            if failure is None:
                self._reported = counts

        value = header + encode_datum(report)
        self._report_in_flight = sender.send(NODES, key_of(self._origin.node_id), value, answered)

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()
