"""Makes Kafka clients that all partition, acknowledge and authenticate the same way."""

import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import ConfigError

# aiokafka (under Faust) hashes keys with murmur2; librdkafka's own default does not.
PARTITIONER = "murmur2_random"
_POLL_S = 0.05


def client_config(settings: KafkaSettings) -> dict[str, Any]:
    """The librdkafka configuration shared by every client.

    Raises:
        ConfigError: no broker is configured and no embedded stack is running.
    """
    if not settings.bootstrap_servers:
        raise ConfigError(
            "no Kafka: start the embedded one with `modeltrail up --detach`, "
            "or set MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS"
        )
    optional = {
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password.reveal(),
        "ssl.ca.location": settings.ssl_ca_location,
    }
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        # A broker that is away is the caller's to report, not a line on stderr.
        "log_level": 2,
        **{name: value for name, value in optional.items() if value},
    }


def make_producer(settings: KafkaSettings, **overrides: Any) -> Producer:
    """A producer with acks=all and idempotence, lz4-compressed batches."""
    return Producer(
        {
            **client_config(settings),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": PARTITIONER,
            "compression.type": "lz4",
            "linger.ms": 5,
            **overrides,
        }
    )


def await_answers(producer: Producer, timeout_s: float) -> int:
    """Wait for every record of a producer; the number of those without an answer yet.

    `Producer.flush` goes on to the next callback after one has raised, as the client itself does
    after a fatal error: it ends in a SystemError.

    Raises:
        KafkaException: the producer broke off; it raises that once.
    """
    deadline = time.monotonic() + timeout_s
    producer.poll(0)
    while (left := len(producer)) and time.monotonic() < deadline:
        producer.poll(_POLL_S)
    return left


def make_consumer(settings: KafkaSettings, group: str, **overrides: Any) -> Consumer:
    """A consumer that starts at the earliest offset and commits only when told to."""
    return Consumer(
        {
            **client_config(settings),
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "isolation.level": "read_committed",
            **overrides,
        }
    )


def assign_flowing(
    consumer: Consumer, partitions: Sequence[TopicPartition], *, cooperative: bool = False
) -> None:
    """Assign partitions, none of them paused: librdkafka keeps a pause over a rebalance.

    Args:
        consumer: called back by its group, or in none.
        partitions: where to read from.
        cooperative: they come to what is assigned already, as the group's strategy wants it.
    """
    if cooperative:
        consumer.incremental_assign(list(partitions))
    else:
        consumer.assign(list(partitions))
    consumer.resume(list(partitions))


def make_admin(settings: KafkaSettings, **overrides: Any) -> AdminClient:
    """An admin client."""
    return AdminClient({**client_config(settings), **overrides})
