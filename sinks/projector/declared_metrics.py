"""Answers since when a model version declares extra metric names, by reading the registry topic."""

import time
from collections.abc import Iterator
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_consumer
from modeltrail.schemas.admission import Declarations
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import ModelRegistered
from modeltrail.schemas.topics import REGISTRY

_BATCH = 1000
_TIMEOUT_S = 30.0


class DeclaredMetrics:
    """Declarations by (model_id, version) and name: the append time, ms, of the first.

    A name counts as declared for a measurement if and only if a ModelRegistered that declares it
    was appended no later than the measurement. A question about names that are not known yet
    reads the registry topic up to its high watermark first, so that the answer does not depend
    on how far this process had read.
    """

    def __init__(self, settings: KafkaSettings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._topic = REGISTRY.full_name(settings.topic_prefix)
        self._consumer: Consumer | None = None
        self._next: dict[int, int] = {}
        self._declared = Declarations()

    def since(self, model_id: str, version: str, names: tuple[str, ...]) -> int | None:
        """The append time, ms, since which all `names` are declared; None: not all are.

        Raises:
            Unavailable: the registry topic could not be read.
            SchemaRegistryUnavailable: a writer schema in it is not known yet.
        """
        known = self._declared.since(model_id, version, names)
        if known is None:
            self._catch_up()
            known = self._declared.since(model_id, version, names)
        return known

    def close(self) -> None:
        """Leave Kafka."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _catch_up(self) -> None:
        try:
            for partition, appended_ms, offset, value in self._new_records():
                self._absorb(value, appended_ms)
                self._next[partition] = offset + 1
        except KafkaException as error:
            self.close()
            raise Unavailable(
                f"topic {self._topic} could not be read ({error.args[0].str()}): "
                "check `modeltrail status`"
            ) from error

    def _absorb(self, value: bytes | None, appended_ms: int) -> None:
        if value is None:
            return
        try:
            fact = self._codec.decode(value)
        except DecodeError:
            return
        if isinstance(fact, ModelRegistered):
            self._declared.add(fact, appended_ms)

    def _new_records(self) -> Iterator[tuple[int, int, int, bytes | None]]:
        """(partition, append time ms, offset, value) of what is new, up to the high watermarks."""
        if self._consumer is None:
            self._consumer = make_consumer(
                self._settings, group=f"{self._settings.topic_prefix}declared-metrics"
            )
        consumer = self._consumer
        metadata = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics[self._topic]
        wanted: dict[int, int] = {}
        for partition in metadata.partitions:
            low, high = consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=_TIMEOUT_S
            )
            if max(low, self._next.get(partition, 0)) < high:
                wanted[partition] = high
        consumer.assign(
            [
                TopicPartition(self._topic, partition, self._next.get(partition, OFFSET_BEGINNING))
                for partition in wanted
            ]
        )
        deadline = time.monotonic() + _TIMEOUT_S
        while wanted:
            # It waits this long for a whole batch, and the last one is never whole.
            messages = consumer.consume(_BATCH, timeout=0.05)
            if messages:
                deadline = time.monotonic() + _TIMEOUT_S
            elif time.monotonic() > deadline:
                raise Unavailable(f"topic {self._topic} gave no records for {_TIMEOUT_S:.0f} s")
            for message in messages:
                if error := message.error():
                    raise KafkaException(error)
                partition, offset = cast(int, message.partition()), cast(int, message.offset())
                if offset < wanted.get(partition, 0):
                    yield partition, message.timestamp()[1], offset, message.value()
                if offset + 1 >= wanted.get(partition, offset + 2):
                    del wanted[partition]
        consumer.unassign()
