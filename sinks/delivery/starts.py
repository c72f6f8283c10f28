"""Answers from where each partition is read and delivered, and notes where a destination began.

A destination that is new is not told years of old alerts: it begins at the end of the log, with
the alerts that are open there. That beginning is committed before anything is told, marked as not
told yet, so that a crash in between loses nothing.
"""

import logging
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from modeltrail.sinks.delivery.lane import Start

_BEGINS = "begins"
_TIMEOUT_S = 10.0
# Kafka's words to a member that slept too long, or in whose absence the group went on.
_NOT_OURS = frozenset(
    (
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
    )
)
_log = logging.getLogger(__name__)


class MembershipLost(Exception):
    """The group has gone on without this consumer: it owns nothing, and has to join again."""


def starts_of(
    consumer: Consumer, partitions: Sequence[TopicPartition]
) -> dict[int, tuple[Start, int]]:
    """For each partition where delivery starts, and the first offset to read for its state.

    Raises:
        KafkaException: the broker did not answer; nothing is lost by asking again.
        MembershipLost: the partitions are no longer this consumer's.
    """
    if not partitions:
        return {}
    starts = {}
    new = []
    for at in consumer.committed(list(partitions), timeout=_TIMEOUT_S):
        low, high = consumer.get_watermark_offsets(at, timeout=_TIMEOUT_S)
        if 0 <= at.offset <= high:
            start = Start(at.offset, begins=at.metadata == _BEGINS)
        else:
            if at.offset > high:
                _log.warning(
                    "%s %d ends before what was delivered: it was made again, delivery begins anew",
                    *(at.topic, at.partition),
                )
            start = Start(high, begins=True)
            new.append(TopicPartition(at.topic, at.partition, high, _BEGINS))
        starts[at.partition] = (start, low)
    if new:
        _note(consumer, new)
    return starts


def _note(consumer: Consumer, beginnings: list[TopicPartition]) -> None:
    try:
        consumer.commit(offsets=beginnings, asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() in _NOT_OURS:
            raise MembershipLost(error.args[0].str()) from error
        raise
