"""Keeps the measurements of one session of one version apart from others in the same courier."""

from modeltrail.producers.eventlog.port import DeliveryFailure
from modeltrail.producers.monitoring.capture_clock import CaptureClock
from modeltrail.producers.monitoring.counts import NOTHING_YET, Counts
from modeltrail.producers.monitoring.measures import Measurement, MeasurementEncoder, Origin
from modeltrail.schemas.events import MeasurementsDropped
from modeltrail.schemas.ids import Micros, new_event_id
from modeltrail.schemas.topics import key_of


class Lane:
    """What measurements have in common, and what became of them.

    The courier counts `offered` and `dropped` under its lock, and the rest in its own thread.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.key = key_of(origin.model.model_id, origin.node_id)
        self.offered = self.dropped = self.refused = self.sent = self.undeliverable = 0
        self.left = False
        self._encoder = MeasurementEncoder(origin)
        self._reported = NOTHING_YET
        self._asked: Counts | None = None

    def encode(self, measurement: Measurement, capture: CaptureClock) -> bytes:
        """The bare datum; errors are those of `MeasurementEncoder.encode`."""
        return self._encoder.encode(measurement, capture)

    def counts(self) -> Counts:
        """What became of the measurements so far."""
        settled = self.sent + self.dropped + self.refused + self.undeliverable
        unsettled = max(0, self.offered - settled)
        return Counts(self.sent, self.dropped, self.refused, self.undeliverable, unsettled)

    def answered(self, failure: DeliveryFailure | None) -> None:
        """Take Kafka's answer about one measurement."""
        if failure is None:
            self.sent += 1
        else:
            self.undeliverable += 1

    def is_done(self) -> bool:
        """Whether nobody measures any more and Kafka knows all that there is to know."""
        counts = self.counts()
        return self.left and not counts.unsettled and counts.lost == self._reported.lost

    def report(self, now: Micros) -> MeasurementsDropped | None:
        """The loss since the report before, once that was answered; None: there is none."""
        counts, previous = self.counts(), self._reported
        if counts.lost == previous.lost or self._asked is not None:
            return None
        self._asked = counts
        dropped = counts.dropped - previous.dropped
        return MeasurementsDropped(
            event_id=new_event_id(),
            occurred_at=now,
            node_id=self.origin.node_id,
            session_id=self.origin.session_id,
            model_id=self.origin.model.model_id,
            dropped=dropped,
            undeliverable=counts.lost - previous.lost - dropped,
            sent=counts.sent - previous.sent,
        )

    def report_answered(self, *, arrived: bool) -> None:
        """Take what became of the report; one that did not arrive is made again."""
        if arrived and self._asked is not None:
            self._reported = self._asked
        self._asked = None
