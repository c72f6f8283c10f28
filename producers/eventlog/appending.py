"""Appends facts for somebody who waits until the log has them all."""

from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.port import DeliveryFailure, Log
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import Topic

_QUEUE_RECORDS = 10_000
_POLL_S = 0.1


class Appender:
    """Facts on their way into the log; one thread uses it."""

    def __init__(self, log: Log, codec: Codec, *, patience_s: float = 30.0) -> None:
        """Connect lazily.

        Args:
            log: where to append.
            codec: encodes the facts.
            patience_s: how long a record may take to be acknowledged, s.
        """
        self._codec = codec
        self._patience_s = patience_s
        self._sender = log.sender(queue_records=_QUEUE_RECORDS, give_up_after_s=patience_s)
        self._failures: list[DeliveryFailure] = []
        self.acknowledged = 0

    def put(self, topic: Topic, key: bytes, fact: Fact) -> None:
        """Send one more, waiting while the queue is full.

        Raises:
            InvalidFact: it does not fit its schema.
            Unavailable: the log or the schema registry does not answer.
        """
        value = self._codec.encode(fact)
        while not self._sender.send(topic, key, value, self._answered):
            self._sender.poll(_POLL_S)
            self._check()
        self._sender.poll(0)
        self._check()

    def finish(self) -> None:
        """Wait until the log has every fact.

        Raises:
            Unavailable: it does not have all of them within the patience.
        """
        left = self._sender.flush(self._patience_s)
        self._check()
        if left:
            raise Unavailable(
                f"Kafka did not acknowledge {left} facts in {self._patience_s:g} s: "
                "check `modeltrail status`, then do it again"
            )

    def _answered(self, failure: DeliveryFailure | None) -> None:
        if failure is None:
            self.acknowledged += 1
        else:
            self._failures.append(failure)

    def _check(self) -> None:
        if self._failures:
            raise Unavailable(
                f"Kafka did not take a fact ({self._failures[0].detail}): "
                "check `modeltrail status`, then do it again"
            )
