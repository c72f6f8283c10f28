"""Reads partitions up to where they end now, so that a reader sees everything written before."""

from collections.abc import Iterator
from contextlib import closing

from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.schemas.topics import Topic

_POLL_S = 0.2
_MOST_IDLE_POLLS = 150


def read_to_end(
    log: Log, topic: Topic, positions: dict[int, int], ends: dict[int, int]
) -> Iterator[LogRecord]:
    """Yield the records from `positions` up to `ends`, moving `positions` on behind each.

    Raises:
        Unavailable: the log does not answer, or not for 30 s.
    """
    behind = {partition for partition, end in ends.items() if positions[partition] < end}
    if not behind:
        return
    idle = 0
    with closing(
        log.cursor(topic, {partition: positions[partition] for partition in behind})
    ) as cursor:
        while behind:
            records = cursor.poll(_POLL_S)
            idle = 0 if records else idle + 1
            if idle > _MOST_IDLE_POLLS:
                raise Unavailable(
                    f"topic {topic.name} could not be read to its end: check `modeltrail status`"
                )
            for record in records:
                positions[record.partition] = record.offset + 1
                if positions[record.partition] >= ends.get(record.partition, 0):
                    behind.discard(record.partition)
                yield record
