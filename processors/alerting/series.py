"""Answers which series of measurements a fact is about."""

from typing import NamedTuple

from modeltrail.schemas.events import (
    AlertState,
    ChangePointDetected,
    DriftMeasured,
    ValueBreached,
    WindowClosed,
)
from modeltrail.schemas.ids import Micros, ModelId, Version

CUT_US = 10_000_000
#: How long after its end a window is decided, by append time.
GRACE_US = 1_000_000


class Series(NamedTuple):
    """One version of a model in one environment and arm."""

    model_id: ModelId
    version: Version
    environment: str
    arm: str

    def __str__(self) -> str:
        return f"{self.model_id} {self.version} ({self.environment}, {self.arm})"


def series_of(
    fact: WindowClosed | ValueBreached | DriftMeasured | ChangePointDetected | AlertState,
) -> Series:
    """The series that `fact` is about."""
    return Series(fact.model_id, fact.version, fact.environment, fact.arm)


def end_before(appended_us: int) -> Micros:
    """End of the newest windows that were decided before something appended at that time."""
    return Micros((appended_us - GRACE_US - 1) // CUT_US * CUT_US)
