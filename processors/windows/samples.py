"""Reads back what was sampled in a partition, so that a new fold can join late ground truth."""

from contextlib import closing

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact, MeasurementSampled
from modeltrail.schemas.topics import SAMPLES


def newest_samples(
    settings: KafkaSettings, codec: Codec, partition: int, most: int
) -> list[MeasurementSampled]:
    """The samples among the last `most` records of a partition of `samples`, oldest first.

    Raises:
        Unavailable: the broker did not answer within 30 s.
        SchemaRegistryUnavailable: a writer schema is not known yet.
    """
    topic = SAMPLES.full_name(settings.topic_prefix)
    with closing(PartitionReader(settings, topic, partition)) as reader:
        low, high = reader.bounds()
        records = reader.read(max(low, high - most), high)
        facts = [_fact(codec, record.value) for record in records if record.value is not None]
    return [fact for fact in facts if isinstance(fact, MeasurementSampled)]


def _fact(codec: Codec, value: bytes) -> Fact | None:
    try:
        return codec.decode(value)
    except DecodeError:
        # The projector reads this topic too and files the dead letter.
        return None
