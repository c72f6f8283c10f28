"""What was appended is in the log, or whoever appends is told so and may do it again."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from modeltrail.infra import acknowledged
from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.config import KafkaSettings, Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import read_partition
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import DOCUMENTS
from tests.integration.broken_off import Producers

KEY = b"centerface"


def values(settings: Settings) -> list[bytes | None]:
    partition = partition_of(KEY, settings.kafka.partitions)
    return list(read_partition(settings.kafka, topic_of(settings), partition))


def topic_of(settings: Settings) -> str:
    return DOCUMENTS.full_name(settings.kafka.topic_prefix)


def test_records_are_in_the_log_in_order_when_it_returns(fresh_settings: Settings) -> None:
    producer = AcknowledgedProducer(fresh_settings.kafka)
    wanted = [str(number).encode() for number in range(1000)]

    producer.append(topic_of(fresh_settings), [(KEY, value) for value in wanted])

    assert values(fresh_settings) == wanted


def test_what_kafka_refuses_is_told_and_the_next_record_goes_through(
    fresh_settings: Settings,
) -> None:
    producer = AcknowledgedProducer(fresh_settings.kafka)

    with pytest.raises(Unavailable, match=topic_of(fresh_settings)):
        producer.append(topic_of(fresh_settings), [(KEY, bytes(10_000_000))])
    producer.append(topic_of(fresh_settings), [(KEY, b"next")])

    assert values(fresh_settings) == [b"next"]


def test_after_a_fatal_error_the_same_records_go_through_another_producer(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(acknowledged, monkeypatch)
    producer = AcknowledgedProducer(fresh_settings.kafka)
    producer.append(topic_of(fresh_settings), [(KEY, b"before")])
    made.break_off()

    with pytest.raises(Unavailable, match="atal error"):
        producer.append(topic_of(fresh_settings), [(KEY, b"after")])
    producer.append(topic_of(fresh_settings), [(KEY, b"after")])

    assert values(fresh_settings) == [b"before", b"after"]
    assert len(made.made) == 2


def test_records_that_were_on_their_way_when_it_broke_off_are_told_of_too(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(acknowledged, monkeypatch)
    producer = AcknowledgedProducer(fresh_settings.kafka)
    producer.append(topic_of(fresh_settings), [(KEY, b"before")])

    def records() -> Iterator[tuple[bytes, bytes]]:
        yield from [(KEY, b"on its way")] * 100
        made.break_off()

    with pytest.raises(Unavailable, match="out of order"):
        producer.append(topic_of(fresh_settings), records())


def test_more_records_than_the_clients_queue_holds_go_through(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_short_queue(settings: KafkaSettings) -> Producer:
        return make_producer(settings, **{"queue.buffering.max.messages": 10})

    monkeypatch.setattr(acknowledged, "make_producer", with_a_short_queue)
    wanted = [str(number).encode() for number in range(100)]

    AcknowledgedProducer(fresh_settings.kafka).append(
        topic_of(fresh_settings), [(KEY, value) for value in wanted]
    )

    assert values(fresh_settings) == wanted
