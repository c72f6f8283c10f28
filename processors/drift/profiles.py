"""Answers which reference profile of a version holds at a time."""

from bisect import insort
from operator import itemgetter

from modeltrail.processors.drift.reference import Reference, compiled
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import ReferenceProfiled
from modeltrail.schemas.ids import Micros, ModelId, Version


class Profiles:
    """The profiles of every version as a timeline: facts may come early and twice."""

    def __init__(self) -> None:
        self._timelines: dict[tuple[ModelId, Version], list[tuple[int, int, Reference]]] = {}

    def set(self, record: Appended) -> None:
        """Take a profile; anything else is passed over."""
        if not isinstance(record.fact, ReferenceProfiled):
            return
        timeline = self._timelines.setdefault((record.fact.model_id, record.fact.version), [])
        key = record.appended_ms * 1000, record.offset
        if all(entry[:2] != key for entry in timeline):
            insort(timeline, (*key, compiled(record.fact)), key=itemgetter(0, 1))

    def at(self, model_id: ModelId, version: Version, time_us: Micros) -> Reference | None:
        """The newest profile that was appended before `time_us`: for a window, its end."""
        timeline = self._timelines.get((model_id, version), ())
        for appended_us, _offset, reference in reversed(timeline):
            if appended_us < time_us:
                return reference
        return None
