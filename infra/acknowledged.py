"""Appends a few records to a topic and returns when every in-sync replica has them."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import await_answers, make_producer

_PATIENCE_S = 30.0


class AcknowledgedProducer:
    """Appends and waits; connects with the first record. One thread uses it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: Producer | None = None

    def append(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Append `(key, value)` records, in order within a partition.

        Args:
            topic: its full name.
            records: as many as there are; those that do not fit in librdkafka's queue wait.

        Raises:
            Unavailable: Kafka did not take all of them within 30 s; some may be in the log, so
                append them again.
        """
        refusals: list[str] = []

        def answered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                refusals.append(error.str())

        try:
            self._producer = self._producer or make_producer(self._settings)
            for key, value in records:
                try:
                    self._producer.produce(topic, value, key, on_delivery=answered)
                except BufferError:
                    await_answers(self._producer, _PATIENCE_S)
                    self._producer.produce(topic, value, key, on_delivery=answered)
            left = await_answers(self._producer, _PATIENCE_S)
        except (KafkaException, BufferError) as error:
            refusals.append(str(error))
            left = 0
        if left or refusals:
            # After a fatal error a producer sends nothing more, and what still waits in this one
            # comes again with the caller.
            self._producer = None
            why = refusals[0] if refusals else "no acknowledgement"
            raise Unavailable(
                f"Kafka did not take a record of {topic} ({why}): check `modeltrail status`"
            )
