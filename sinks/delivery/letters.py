"""Turns a step that a receiver refused for good into a dead letter."""

from modeltrail.schemas.events import DeadLetter, DeadLetterReason
from modeltrail.schemas.ids import EventId, Micros, derived_event_id
from modeltrail.schemas.topics import key_of
from modeltrail.sinks.delivery.fold import Step

LONGEST_DETAIL = 1000


def letter_of(
    step: Step, destination: str, detail: str, topic: str, topic_id: EventId, value: bytes
) -> DeadLetter:
    """The dead letter of `step`: the same however often it is refused.

    Args:
        step: what was refused.
        destination: name of who refused it.
        detail: what it answered.
        topic: full name of the alerts topic.
        topic_id: Kafka's id of it.
        value: the step's fact, encoded.
    """
    consumer = f"delivery.{destination}"
    appended_at = Micros(step.appended_ms * 1000)
    return DeadLetter(
        event_id=derived_event_id("DeadLetter", consumer, topic_id, step.partition, step.offset),
        occurred_at=appended_at,
        topic=topic,
        topic_id=topic_id,
        partition=step.partition,
        offset=step.offset,
        appended_at=appended_at,
        consumer=consumer,
        reason=DeadLetterReason.NOT_DELIVERED,
        detail=f"refused by {destination} for good: {detail}"[:LONGEST_DETAIL],
        key=key_of(step.alert.model_id),
        value=value,
        value_size=len(value),
    )
