"""Waits for the registry's answer to one request, in the log."""

from contextlib import closing

from modeltrail.infra.clock import Clock
from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.registry_dialogue import RegistryAnswer
from modeltrail.schemas.topics import REGISTRY

_POLL_S = 0.1


def end_of_partition(log: Log, key: bytes) -> tuple[int, int]:
    """The partition of `key` in the registry topic, and its end.

    Raises:
        Unavailable: Kafka does not answer.
    """
    partition = partition_of(key, log.partitions(REGISTRY))
    return partition, log.end_offsets(REGISTRY, (partition,))[partition]


def wait_for_answer(
    log: Log,
    codec: Codec,
    start: tuple[int, int],
    request_id: EventId,
    timeout_s: float,
    clock: Clock,
) -> RegistryAnswer | None:
    """The answer to `request_id` in the partition and from the offset of `start`; None: too late.

    Raises:
        Unavailable: Kafka stopped answering.
        SchemaRegistryUnavailable: a writer schema is not known yet.
    """
    partition, offset = start
    deadline = clock.monotonic() + timeout_s
    with closing(log.cursor(REGISTRY, {partition: offset})) as cursor:
        while clock.monotonic() < deadline:
            for record in cursor.poll(_POLL_S):
                answer = _answer(codec, record)
                if answer is not None and answer.request_id == request_id:
                    return answer
    return None


def _answer(codec: Codec, record: LogRecord) -> RegistryAnswer | None:
    try:
        fact = codec.decode(record.value or b"")
    except DecodeError:
        return None
    return fact if isinstance(fact, RegistryAnswer) else None
