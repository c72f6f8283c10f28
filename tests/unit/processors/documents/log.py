"""Makes facts with places, as the log would give them."""

from dataclasses import replace
from typing import Any

from modeltrail.processors.documents.citing import Cited
from modeltrail.schemas.events import Fact
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import ModelId, Version, derived_event_id
from modeltrail.schemas.topics import TOPICS

MODEL, VERSION = ModelId("centerface"), Version("v2.0.0")
START_US = 1_767_225_600_000_000
_TOPICS = {kind: topic.name for topic in TOPICS for kind in topic.facts}


class Log:
    """Gives each fact the next offset of its topic, a second apart."""

    def __init__(self) -> None:
        self.facts: list[Cited] = []

    def add(self, kind: type[Fact], **values: Any) -> Cited:
        """The example of a kind, about one model and version unless `values` say otherwise."""
        fact: Any = example_fact(kind)
        about = {"model_id": MODEL, "version": VERSION}
        about = {name: value for name, value in about.items() if hasattr(fact, name)}
        number = len(self.facts)
        fact = replace(fact, **{"event_id": derived_event_id("fact", number), **about, **values})
        topic = _TOPICS[kind]
        offset = sum(one.topic == topic for one in self.facts)
        self.facts.append(Cited(fact, topic, 0, offset, START_US // 1000 + number * 1000))
        return self.facts[-1]
