"""Sends dead letters of one destination and waits until Kafka has them."""

from functools import cached_property

from confluent_kafka import Producer

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.topics import topic_ids
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import ALERTS, DEAD_LETTERS, key_of
from modeltrail.sinks.delivery.fold import Step
from modeltrail.sinks.delivery.letters import letter_of
from modeltrail.sinks.errors import DeadLetterNotTaken

_TIMEOUT_S = 30.0


class Letterbox:
    """Where the steps go that one destination refuses; connects with the first."""

    def __init__(self, settings: KafkaSettings, codec: Codec, destination: str) -> None:
        self._settings = settings
        self._codec = codec
        self._destination = destination

    def put(self, step: Step, detail: str) -> None:
        """Keep a refused step with what the destination said.

        Raises:
            DeadLetterNotTaken: Kafka did not take it within 30 s; put it again.
            Unavailable: Kafka does not answer.
        """
        topic = ALERTS.full_name(self._settings.topic_prefix)
        letter = letter_of(
            step, self._destination, detail, topic, self._topic_id, self._codec.encode(step.alert)
        )
        failures: list[str] = []
        self._producer.produce(
            DEAD_LETTERS.full_name(self._settings.topic_prefix),
            key=key_of(topic, str(step.partition)),
            value=self._codec.encode(letter),
            on_delivery=lambda error, _: failures.append(error.str()) if error else None,
        )
        if self._producer.flush(_TIMEOUT_S) or failures:
            raise DeadLetterNotTaken(
                f"Kafka did not take a dead letter ({', '.join(failures) or 'no answer'}): "
                "check `modeltrail status`"
            )

    @cached_property
    def _topic_id(self) -> EventId:
        return EventId(topic_ids(self._settings)[ALERTS])

    @cached_property
    def _producer(self) -> Producer:
        return make_producer(self._settings)
