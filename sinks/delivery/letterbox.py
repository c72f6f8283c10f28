"""Sends dead letters of one destination and waits until Kafka has them."""

from functools import cached_property

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.topics import topic_ids
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import ALERTS, DEAD_LETTERS, key_of
from modeltrail.sinks.delivery.fold import Step
from modeltrail.sinks.delivery.letters import letter_of


class Letterbox:
    """Where the steps go that one destination refuses; connects with the first."""

    def __init__(self, settings: KafkaSettings, codec: Codec, destination: str) -> None:
        self._settings = settings
        self._codec = codec
        self._destination = destination
        self._producer = AcknowledgedProducer(settings)

    def put(self, step: Step, detail: str) -> None:
        """Keep a refused step with what the destination said.

        Raises:
            Unavailable: Kafka did not take it; put it again.
        """
        topic = ALERTS.full_name(self._settings.topic_prefix)
        letter = letter_of(
            step, self._destination, detail, topic, self._topic_id, self._codec.encode(step.alert)
        )
        self._producer.append(
            DEAD_LETTERS.full_name(self._settings.topic_prefix),
            [(key_of(topic, str(step.partition)), self._codec.encode(letter))],
        )

    @cached_property
    def _topic_id(self) -> EventId:
        return EventId(topic_ids(self._settings)[ALERTS])
