"""Keeps what drift of one series is judged by: its last hour, its streaks and its change points."""

from dataclasses import dataclass, field
from typing import NamedTuple

from modeltrail.processors.drift.change_points import ChangePoints
from modeltrail.processors.drift.history import SPAN_US, History
from modeltrail.processors.drift.reference import Reference
from modeltrail.schemas.events import ChangePointDetected, DriftMeasured, WindowClosed
from modeltrail.schemas.ids import Micros, ModelId, Version

_FORGET_US = 2 * SPAN_US


class Series(NamedTuple):
    """One version of a model in one environment and arm."""

    model_id: ModelId
    version: Version
    environment: str
    arm: str


def series_of(fact: WindowClosed | DriftMeasured | ChangePointDetected) -> Series:
    """The series that `fact` is about."""
    return Series(fact.model_id, fact.version, fact.environment, fact.arm)


@dataclass(slots=True)
class SeriesState:
    """One series; `newest` is the end of the newest window that anything is known of."""

    newest: Micros
    history: History | None = None
    measured: DriftMeasured | None = None
    change_points: dict[str, ChangePoints] = field(default_factory=dict)

    def over(self, reference: Reference | None) -> History | None:
        """The history over the bins of a reference; another reference than before starts anew."""
        if reference is None:
            self.history = None
        elif self.history is None or self.history.reference is not reference:
            self.history = History(reference)
        return self.history

    def put(self, fact: DriftMeasured) -> None:
        """Take a measurement, made here or found in the log."""
        if self.measured is None or fact.end >= self.measured.end:
            self.measured = fact

    def streaks(self, reference: Reference, window: str, end: Micros) -> dict[str, int]:
        """How many windows in a row each feature had drifted before the one that ends at `end`.

        Windows without values break no row; an hour of them does.
        """
        last = self.measured
        if (
            last is None
            or (last.profile_id, last.window) != (reference.profile_id, window)
            or not end - SPAN_US <= last.end < end
        ):
            return {}
        return {feature.name: feature.streak for feature in last.features}

    def changes_of(self, metric: str) -> ChangePoints:
        """The change points of one metric."""
        return self.change_points.setdefault(metric, ChangePoints())

    def is_over(self, end: Micros) -> bool:
        """Whether nothing that was before matters any more."""
        return end - self.newest > _FORGET_US
