"""Carries measurements from a node's frame loops to Kafka in the background, or counts the loss."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import MonitoringSettings
from modeltrail.producers.eventlog.framing import Framer, newest_version
from modeltrail.producers.eventlog.port import DeliveryFailure, Log, Sender
from modeltrail.producers.monitoring.capture_clock import CaptureClock
from modeltrail.producers.monitoring.counts import NOTHING_YET, Counts
from modeltrail.producers.monitoring.lane import Lane
from modeltrail.producers.monitoring.measures import Measurement, Origin
from modeltrail.producers.per_process import ForkGate
from modeltrail.schemas.codec import SchemaIds, encode_datum
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import InferenceMeasured, MeasurementsDropped
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.topics import INFERENCE, NODES, key_of

_LOG = logging.getLogger(__name__)
_SLICE = 32
_YIELD_S = 0.0002
_TICK_S = 0.02
_RETRY_S = 1.0
_GIVE_UP_S = 300.0
_CONNECT_S = 0.5


class Courier:
    """One bounded queue and one background thread; `offer` never blocks and never raises."""

    def __init__(
        self,
        settings: MonitoringSettings,
        log: Log,
        schema_ids: Callable[[], SchemaIds],
        clock: Clock,
        capture: CaptureClock,
    ) -> None:
        self._settings = settings
        self._log = log
        self._schema_ids = schema_ids
        self._clock = clock
        self._capture = capture
        self._queue: deque[tuple[Lane, Measurement]] = deque()
        self._capacity = settings.queue_capacity
        self._lock = threading.Lock()
        self._lanes: set[Lane] = set()
        self._done = NOTHING_YET
        self._taken: deque[tuple[Lane, bytes]] = deque()
        self._next_report = clock.monotonic() + settings.report_interval_s
        self._closing = threading.Event()
        self._deadline = 0.0
        self._gate = ForkGate()
        self._thread = threading.Thread(target=self._run, name="modeltrail-courier", daemon=True)
        self._thread.start()

    def lane(self, origin: Origin) -> Lane:
        """A way for the measurements of one session; whoever has no more sets `left`."""
        lane = Lane(origin)
        with self._lock:
            self._lanes.add(lane)
        return lane

    def offer(self, lane: Lane, measurement: Measurement) -> None:
        """Queue one measurement; a full queue loses its oldest, which is counted."""
        with self._lock:
            if len(self._queue) >= self._capacity:
                self._queue.popleft()[0].dropped += 1
            self._queue.append((lane, measurement))
            lane.offered += 1

    def counts(self) -> Counts:
        """What became of the measurements of all lanes so far."""
        with self._lock:
            return sum((lane.counts() for lane in self._lanes), self._done)

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
                self._forget_done()
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
                lane, datum = self._taken[0]
                if not sender.send(INFERENCE, lane.key, header + datum, lane.answered):
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
            queued = [self._queue.popleft() for _ in range(min(_SLICE, len(self._queue)))]
        for lane, measurement in queued:
            try:
                self._taken.append((lane, lane.encode(measurement, self._capture)))
            except (ValueError, TypeError, OverflowError) as error:
                lane.refused += 1
                _LOG.warning("refused the measurement of frame %d: %s", measurement[0], error)
        return bool(queued)

    def _report(self, sender: Sender, framer: Framer) -> None:
        record = MeasurementsDropped.record
        header = framer.header(record, newest_version(record))
        with self._lock:
            lanes = tuple(self._lanes)
        for lane in lanes:
            report = lane.report(Micros(self._clock.now_us()))
            if report is None:
                continue
            value = header + encode_datum(report)
            key = key_of(report.node_id)
            if not sender.send(NODES, key, value, _reported(lane)):
                lane.report_answered(arrived=False)

    def _forget_done(self) -> None:
        with self._lock:
            for lane in [lane for lane in self._lanes if lane.is_done()]:
                self._lanes.remove(lane)
                self._done += lane.counts()

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()


def _reported(lane: Lane) -> Callable[[DeliveryFailure | None], None]:
    return lambda failure: lane.report_answered(arrived=failure is None)
