"""Answers when a series was last seen to measure something, and which have been forgotten."""

from collections.abc import Iterable

from modeltrail.processors.alerting.series import Series, series_of
from modeltrail.schemas.events import WindowClosed
from modeltrail.schemas.ids import Micros

#: The longest window of a rule, the hop at which it is decided, and some room.
KNOWN_FOR_US = 75 * 60 * 1_000_000
#: Any measurement at all.
ANY_METRIC = ""
_RECENT = ("10s", "1m")


class Sightings:
    """The newest short window in which each metric of each series had a value."""

    def __init__(self) -> None:
        self._seen: dict[Series, dict[str, Micros]] = {}

    def add(self, windows: Iterable[WindowClosed]) -> None:
        """Take the windows of one cut; the long ones still hold what is over by now."""
        for window in windows:
            if window.window in _RECENT and window.measurements:
                seen = self._seen.setdefault(series_of(window), {})
                seen[ANY_METRIC] = window.end
                for metric in window.metrics:
                    if metric.count:
                        seen[metric.name] = window.end

    def forget(self, end: Micros) -> None:
        """Let go of series that have been silent for long at `end`."""
        for series, seen in list(self._seen.items()):
            if end - seen[ANY_METRIC] > KNOWN_FOR_US:
                del self._seen[series]

    def series(self) -> Iterable[Series]:
        """The series that are known."""
        return self._seen.keys()

    def knows(self, series: Series, metric: str, end: Micros) -> bool:
        """Whether the metric had a value not long before `end`."""
        seen = self._seen.get(series, {}).get(metric)
        return seen is not None and end - seen <= KNOWN_FOR_US
