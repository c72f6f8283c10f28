"""Topics are data: each fact lies in exactly one, under a name that says what it is about."""

from collections import Counter
from dataclasses import fields

import pytest

from modeltrail.infra.config import KafkaSettings
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.topics import TOPICS, Retention, Topic, key_of

ROOMS = {"producers", "processors", "sinks"}


def test_each_fact_belongs_to_exactly_one_topic() -> None:
    assert Counter(fact for topic in TOPICS for fact in topic.facts) == Counter(FACTS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_facts_of_a_topic_have_its_namespace(topic: Topic) -> None:
    namespace = f"modeltrail.{topic.name.replace('-', '_')}."
    assert all(fact.record.startswith(namespace) for fact in topic.facts)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_topic_is_named_once_and_owned_by_a_room(topic: Topic) -> None:
    assert [other.name for other in TOPICS].count(topic.name) == 1
    assert topic.owner in ROOMS
    assert topic.full_name("modeltrail.") == f"modeltrail.{topic.name}"


# Dead letters are keyed by where the record lay, which is no single field.
KEYED_BY_FIELDS = [topic for topic in TOPICS if topic.key != "origin"]


@pytest.mark.parametrize("topic", KEYED_BY_FIELDS, ids=lambda topic: topic.name)
def test_every_fact_of_a_topic_has_the_fields_of_its_key(topic: Topic) -> None:
    for part in topic.key.split(" + "):
        assert all(
            part in fact.__dataclass_fields__ or "partition" in fact.__dataclass_fields__
            for fact in topic.facts
        )


def test_only_measurements_what_follows_from_them_and_heartbeats_are_ever_deleted() -> None:
    deleted = [topic.name for topic in TOPICS if topic.retention is not Retention.FOR_EVER]
    assert deleted == ["inference", "samples", "nodes", "windows", "trials"]


def test_retention_names_a_setting_in_days() -> None:
    settings = {field.name for field in fields(KafkaSettings)}
    assert {topic.retention for topic in TOPICS} - {Retention.FOR_EVER} <= settings


def test_keys_of_different_parts_differ() -> None:
    assert key_of("model", "node") != key_of("modeln", "ode")
    assert key_of("a") == b"a"
