"""Answers which reference profile of a version holds at a time."""

from bisect import insort
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from modeltrail.processors.drift.reference import Reference, compiled
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import ReferenceProfiled
from modeltrail.schemas.ids import Micros, ModelId, Version


@dataclass(frozen=True, eq=False)
class _Profile:
    """A profile, compiled once it is asked for: most belong to series of other partitions."""

    fact: ReferenceProfiled

    @cached_property
    def reference(self) -> Reference:
        return compiled(self.fact)


class Profiles:
    """The profiles of every version as a timeline: facts may come early and twice."""

    def __init__(self) -> None:
        self._timelines: dict[tuple[ModelId, Version], list[tuple[int, int, _Profile]]] = {}

    def set(self, record: Appended) -> None:
        """Take a profile; anything else is passed over."""
        if not isinstance(record.fact, ReferenceProfiled):
            return
        timeline = self._timelines.setdefault((record.fact.model_id, record.fact.version), [])
        key = record.appended_ms * 1000, record.offset
        if all(entry[:2] != key for entry in timeline):
            insort(timeline, (*key, _Profile(record.fact)), key=itemgetter(0, 1))

    def at(self, model_id: ModelId, version: Version, time_us: Micros) -> Reference | None:
        """The newest profile that was appended before `time_us`: for a window, its end."""
        timeline = self._timelines.get((model_id, version), ())
        for appended_us, _offset, profile in reversed(timeline):
            if appended_us < time_us:
                return profile.reference
        return None
