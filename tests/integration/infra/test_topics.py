"""Topics that were created can be used at once."""

from dataclasses import replace

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_admin
from modeltrail.infra.topics import create_topics, topic_problems
from modeltrail.schemas.topics import TOPICS


def test_every_partition_is_served_when_the_creation_returns(stack: Settings) -> None:
    # One creation right after another: the broker is then furthest behind its answers.
    for prefix in ("served-1.", "served-2.", "served-3."):
        settings = replace(stack.kafka, topic_prefix=prefix)

        created = create_topics(settings)

        known = make_admin(settings).list_topics(timeout=30).topics
        assert set(created) == {topic.full_name(prefix) for topic in TOPICS}
        for name in created:
            assert known[name].error is None
            assert len(known[name].partitions) == settings.partitions
            assert all(each.leader >= 0 for each in known[name].partitions.values())
        assert topic_problems(settings) == []


def test_topics_that_are_there_are_left_alone(fresh_settings: Settings) -> None:
    assert create_topics(fresh_settings.kafka) == []
