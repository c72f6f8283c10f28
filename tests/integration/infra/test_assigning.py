"""What a consumer is given after a rebalance flows, whatever it held back before."""

import time

from confluent_kafka import Message, TopicPartition

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import assign_flowing, make_consumer, make_producer
from modeltrail.schemas.topics import ALERTS

PATIENCE_S = 30.0


def test_a_partition_that_was_paused_before_it_was_lost_flows_when_it_comes_back(
    fresh_settings: Settings,
) -> None:
    # given a consumer that paused its partition, lost it and has it again
    topic = ALERTS.full_name(fresh_settings.kafka.topic_prefix)
    producer = make_producer(fresh_settings.kafka)
    producer.produce(topic, b"first", partition=0)
    assert producer.flush(PATIENCE_S) == 0
    consumer = make_consumer(fresh_settings.kafka, "paused")
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert consumer.consume(1, PATIENCE_S)[0].value() == b"first"
    consumer.pause([TopicPartition(topic, 0)])
    consumer.unassign()
    # when it is assigned anew
    assign_flowing(consumer, [TopicPartition(topic, 0, 0)])
    # then its records come
    deadline = time.monotonic() + PATIENCE_S
    messages: list[Message] = []
    while not messages and time.monotonic() < deadline:
        messages = consumer.consume(1, 0.2)
    assert [message.value() for message in messages] == [b"first"]
    consumer.close()
