"""Creates the topics on a broker and says where they differ from what modeltrail needs."""

import time
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType, TopicMetadata

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.kafka import make_admin
from modeltrail.schemas.topics import TOPICS, Retention, Topic

_TIMEOUT_S = 30
_POLL_S = 0.05
_DAY_MS = 24 * 60 * 60 * 1000


def create_topics(settings: KafkaSettings) -> list[str]:
    """Create the topics that do not exist yet and give their names.

    Raises:
        Unavailable: the broker did not answer or refused.
    """
    admin = make_admin(settings)
    try:
        existing = set(admin.list_topics(timeout=_TIMEOUT_S).topics)
        missing = [
            topic for topic in TOPICS if topic.full_name(settings.topic_prefix) not in existing
        ]
        if not missing:
            return []
        futures = admin.create_topics([_new_topic(topic, settings) for topic in missing])
        created = [name for name, future in futures.items() if _created(future)]
        _await_leaders(admin, set(futures))
    except KafkaException as error:
        raise Unavailable(
            f"the topics could not be created ({error.args[0].str()}): check `modeltrail status`"
        ) from error
    return created


def topic_problems(settings: KafkaSettings) -> list[str]:
    """Say, a sentence each, which topics are missing or laid out otherwise than set.

    Raises:
        Unavailable: the broker did not answer.
    """
    admin = make_admin(settings)
    try:
        existing = admin.list_topics(timeout=_TIMEOUT_S).topics
        problems = []
        for topic in TOPICS:
            name = topic.full_name(settings.topic_prefix)
            if name not in existing:
                problems.append(f"topic {name} is missing: run `modeltrail migrate`")
                continue
            if (count := len(existing[name].partitions)) != settings.partitions:
                problems.append(
                    f"topic {name} has {count} partitions, kafka.partitions says "
                    f"{settings.partitions}: joined topics need equal counts, change the setting "
                    "or add partitions"
                )
            if (kind := _timestamp_type(admin, name)) != "LogAppendTime":
                problems.append(
                    f"topic {name} uses {kind}: set message.timestamp.type=LogAppendTime"
                )
        return problems
    except KafkaException as error:
        raise Unavailable(f"Kafka did not answer: {error.args[0].str()}") from error


def topic_ids(settings: KafkaSettings) -> dict[Topic, bytes]:
    """Kafka's own 16-byte id of each topic: a topic that is made again gets another.

    Raises:
        Unavailable: the broker did not answer, or a topic is missing.
    """
    names = {topic.full_name(settings.topic_prefix): topic for topic in TOPICS}
    # The futures fail once the client is collected, so it must have a name here.
    admin = make_admin(settings)
    futures = admin.describe_topics(TopicCollection(list(names)))
    try:
        described = {name: future.result(timeout=_TIMEOUT_S) for name, future in futures.items()}
    except KafkaException as error:
        raise Unavailable(
            f"Kafka did not describe its topics ({error.args[0].str()}): run `modeltrail migrate`"
        ) from error
    return {names[name]: _id_bytes(topic.topic_id) for name, topic in described.items()}


def _new_topic(topic: Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        topic.full_name(settings.topic_prefix),
        num_partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        config={
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(_retention_ms(topic, settings)),
            "cleanup.policy": "compact" if topic.compacted else "delete",
        },
    )


def _retention_ms(topic: Topic, settings: KafkaSettings) -> int:
    if topic.retention is Retention.FOR_EVER:
        return -1
    days: int = getattr(settings, topic.retention)
    return days * _DAY_MS


def _created(future: Any) -> bool:
    try:
        future.result(timeout=_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].name() == "TOPIC_ALREADY_EXISTS":
            return False
        raise
    return True


def _await_leaders(admin: AdminClient, names: set[str]) -> None:
    """Wait until the broker serves these topics: it answers for a creation before it does."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        known = admin.list_topics(timeout=_TIMEOUT_S).topics
        waiting = sorted(name for name in names if not _is_served(known.get(name)))
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Kafka made {', '.join(waiting)}, but does not serve them: "
                "check `modeltrail status`"
            )
        time.sleep(_POLL_S)


def _is_served(topic: TopicMetadata | None) -> bool:
    if topic is None or topic.error is not None or not topic.partitions:
        return False
    return all(partition.leader >= 0 for partition in topic.partitions.values())


def _timestamp_type(admin: AdminClient, name: str) -> str:
    resource = ConfigResource(ResourceType.TOPIC, name)
    config = admin.describe_configs([resource])[resource].result(timeout=_TIMEOUT_S)
    return str(config["message.timestamp.type"].value)


def _id_bytes(topic_id: Any) -> bytes:
    high = topic_id.get_most_significant_bits() & (2**64 - 1)
    low = topic_id.get_least_significant_bits() & (2**64 - 1)
    return int(high).to_bytes(8, "big") + int(low).to_bytes(8, "big")
