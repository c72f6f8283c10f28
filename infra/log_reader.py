"""Says where the topics end now, and reads a partition from its beginning up to there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import ListOffsetsResultInfo, OffsetSpec

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_admin, make_consumer
from modeltrail.schemas.topics import TOPICS, Topic

_BATCH = 10_000
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a partition; `appended_ms` is the broker's append time since the epoch."""

    offset: int
    appended_ms: int
    value: bytes | None
    key: bytes | None = None


class PartitionReader:
    """Reads one partition through a consumer of its own; calls raise `Unavailable`."""

    def __init__(self, settings: KafkaSettings, topic: str, partition: int) -> None:
        self._consumer = make_consumer(settings, group=f"{settings.topic_prefix}readers")
        self._topic = topic
        self._partition = partition

    def bounds(self) -> tuple[int, int]:
        """The first offset, and the high watermark: the offset after the last record."""
        with self._errors():
            low, high = self._consumer.get_watermark_offsets(self._at(), timeout=_TIMEOUT_S)
            return int(low), int(high)

    def offset_at(self, appended_ms: int) -> int | None:
        """The first offset with that append time or a later one; None: there is none."""
        with self._errors():
            (found,) = self._consumer.offsets_for_times([self._at(appended_ms)], timeout=_TIMEOUT_S)
            return int(found.offset) if found.offset >= 0 else None

    def read(self, first: int, end: int) -> Iterator[LogRecord]:
        """Every record from offset `first` up to, but without, `end`."""
        with self._errors():
            # From a number: asking for "the beginning" costs half a second of look-ups.
            self._consumer.assign([self._at(first)])
            following = first
            while following < end:
                # consume() waits for a full batch, so it is asked for no more than there is.
                records = self._consumer.consume(min(_BATCH, end - following), timeout=_TIMEOUT_S)
                if not records:
                    raise Unavailable(f"{self} gave no records for {_TIMEOUT_S:.0f} s")
                for record in records:
                    if error := record.error():
                        raise KafkaException(error)
                    offset = record.offset() or 0
                    if offset < end:
                        yield LogRecord(offset, record.timestamp()[1], record.value(), record.key())
                    following = offset + 1

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def __str__(self) -> str:
        return f"{self._topic} partition {self._partition}"

    def _at(self, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._topic, self._partition, offset)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise Unavailable(f"{self}: {error.args[0].str()}") from error


class LatestOffsets:
    """Asks, in one request, where partitions of several topics end."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[Topic]) -> None:
        self._admin = make_admin(settings)
        self._prefix = settings.topic_prefix
        self._partitions = settings.partitions
        self._places = [(topic, number) for topic in topics for number in range(self._partitions)]

    def read(self) -> dict[tuple[Topic, int], int]:
        """The offset after the last record of every partition, by topic and partition.

        Raises:
            Unavailable: the broker did not answer within 30 s.
        """
        return {place: answer.offset for place, answer in self._ask({}).items()}

    def read_beside(self, topic: Topic) -> tuple[dict[tuple[Topic, int], int], int]:
        """The same, and at about that time the newest append time of another topic.

        Returns:
            The offsets; the append time, ms, -1 where the topic is empty.

        Raises:
            Unavailable: the broker did not answer within 30 s.
        """
        newest: OffsetSpec = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
        answers = self._ask({(topic, number): newest for number in range(self._partitions)})
        return (
            {place: answer.offset for place, answer in answers.items() if place[0] != topic},
            max(answer.timestamp for place, answer in answers.items() if place[0] == topic),
        )

    def _ask(
        self, more: Mapping[tuple[Topic, int], OffsetSpec]
    ) -> dict[tuple[Topic, int], ListOffsetsResultInfo]:
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        places = {self._at(place): place for place in (*self._places, *more)}
        try:
            futures = self._admin.list_offsets(
                {at: more.get(place, latest) for at, place in places.items()},
                request_timeout=_TIMEOUT_S,
            )
            return {places[at]: future.result() for at, future in futures.items()}
        except KafkaException as error:
            raise Unavailable(f"the ends of the topics: {error.args[0].str()}") from error

    def _at(self, place: tuple[Topic, int]) -> TopicPartition:
        return TopicPartition(place[0].full_name(self._prefix), place[1])


def end_offsets(settings: KafkaSettings) -> dict[tuple[str, int], int]:
    """The high watermark of every (topic without prefix, partition) of ours.

    Raises:
        Unavailable: the broker did not answer within 30 s.
    """
    ends = LatestOffsets(settings, TOPICS).read()
    return {(topic.name, partition): end for (topic, partition), end in ends.items()}


def read_partition(settings: KafkaSettings, topic: str, partition: int) -> list[bytes | None]:
    """Every value of a partition up to its high watermark, in offset order.

    Raises:
        Unavailable: the broker did not answer within 30 s.
    """
    with closing(PartitionReader(settings, topic, partition)) as reader:
        return [record.value for record in reader.read(*reader.bounds())]
