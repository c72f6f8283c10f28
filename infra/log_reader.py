"""Says where the topics end now, and reads a partition from its beginning up to there."""

from confluent_kafka import KafkaException, TopicPartition

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_consumer
from modeltrail.schemas.topics import TOPICS

_BATCH = 10_000
_TIMEOUT_S = 30.0


def end_offsets(settings: KafkaSettings) -> dict[tuple[str, int], int]:
    """The high watermark of every (topic without prefix, partition) of ours.

    Raises:
        Unavailable: the broker did not answer within 30 s.
    """
    consumer = make_consumer(settings, group=f"{settings.topic_prefix}readers")
    try:
        return {
            (topic.name, partition): consumer.get_watermark_offsets(
                TopicPartition(topic.full_name(settings.topic_prefix), partition),
                timeout=_TIMEOUT_S,
            )[1]
            for topic in TOPICS
            for partition in range(settings.partitions)
        }
    except KafkaException as error:
        raise Unavailable(f"the ends of the topics: {error.args[0].str()}") from error
    finally:
        consumer.close()


def read_partition(settings: KafkaSettings, topic: str, partition: int) -> list[bytes | None]:
    """Every value of a partition up to its high watermark, in offset order.

    Raises:
        Unavailable: the broker did not answer within 30 s.
    """
    consumer = make_consumer(settings, group=f"{settings.topic_prefix}readers")
    try:
        at = TopicPartition(topic, partition)
        low, high = consumer.get_watermark_offsets(at, timeout=_TIMEOUT_S)
        # From a number: asking for "the beginning" costs half a second of look-ups.
        consumer.assign([TopicPartition(topic, partition, low)])
        values: list[bytes | None] = []
        following = low
        while following < high:
            # consume() waits for a full batch, so it is asked for no more than there is.
            records = consumer.consume(min(_BATCH, high - following), timeout=_TIMEOUT_S)
            if not records:
                raise Unavailable(
                    f"{topic} partition {partition} gave no records for {_TIMEOUT_S} s"
                )
            for record in records:
                if error := record.error():
                    raise Unavailable(f"{topic} partition {partition}: {error.str()}")
                offset = record.offset() or 0
                if offset < high:
                    values.append(record.value())
                following = offset + 1
        return values
    except KafkaException as error:
        raise Unavailable(f"{topic} partition {partition}: {error.args[0].str()}") from error
    finally:
        consumer.close()
