"""Measures drift: a fold over one partition of `windows`, its own output included.

A bucket of 10 s is judged once the decision after its own is there: then its final window, which
replaces the decided one, is too. Everything follows from the last two hours of the log; of what is
known in part, because a replay began in its middle, nothing is published.
"""

from collections.abc import Iterator, Mapping

from modeltrail.processors.drift.change_points import reaches_back_to
from modeltrail.processors.drift.counting import Counted, counted
from modeltrail.processors.drift.history import BUCKET_US, SPAN_US, History
from modeltrail.processors.drift.measuring import Due, is_due, measured
from modeltrail.processors.drift.profiles import Profiles
from modeltrail.processors.drift.series import Series, SeriesState, series_of
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    ChangePointDetected,
    DriftMeasured,
    DriftPolicySet,
    Fact,
    ReferenceProfiled,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.rulebook import RuleBook
from modeltrail.schemas.topics import WINDOWS

#: Metrics that get worse by falling; all others do by rising.
_BETTER_HIGH = frozenset(("accuracy", "fps", "detection_score", "mask_coverage"))


class DriftFold:
    """Drift and change points of the series of one partition."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._book = RuleBook()
        self._profiles = Profiles()
        self._series: dict[Series, SeriesState] = {}
        self._waiting: dict[Micros, dict[Series, WindowClosed]] = {}
        self._settled: Micros | None = None
        # Buckets that end after this are all known; None: no record of the partition came yet.
        self._known_after: Micros | None = None
        self._from_beginning = False

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        """Take the next record of the partition, or a fact of a control topic."""
        fact = record.fact
        if isinstance(fact, WINDOWS.facts) and record.offset == 0:
            self._from_beginning = True
        match fact:
            case ReferenceProfiled():
                self._profiles.set(record)
            case DriftPolicySet():
                self._book.set(record)
            case WindowClosed(window="10s"):
                self._wait(fact)
            case DriftMeasured():
                self._state(series_of(fact), fact.end).put(fact)
            case ChangePointDetected():
                self._state(series_of(fact), fact.end).changes_of(fact.metric).noticed(fact.end)
            case WindowsDecided():
                return tuple(self._settle(fact.end))
        return ()

    def _wait(self, window: WindowClosed) -> None:
        if self._settled is not None and window.end <= self._settled:
            return
        bucket = self._waiting.setdefault(window.end, {})
        known = bucket.get(series_of(window))
        if known is None or window.final or not known.final:
            bucket[series_of(window)] = window

    def _state(self, series: Series, end: Micros) -> SeriesState:
        state = self._series.setdefault(series, SeriesState(end))
        state.newest = max(state.newest, end)
        return state

    def _settle(self, decided: Micros) -> Iterator[Fact]:
        """Judge every bucket that has its decision after it."""
        if self._known_after is None:
            self._known_after = Micros(0) if self._from_beginning else decided
        last = Micros(decided - BUCKET_US)
        first = min(self._waiting, default=last)
        if self._settled is not None:
            first = Micros(self._settled + BUCKET_US)
        for end in range(first, last + 1, BUCKET_US):
            yield from self._judge(Micros(end))
        self._settled = max(last, self._settled or last)

    def _judge(self, end: Micros) -> Iterator[Fact]:
        windows = self._waiting.pop(end, {})
        self._count(end, windows)
        for series, window in windows.items():
            yield from self._changes(series, self._state(series, end), window)
        if self._knows_after(Micros(end - SPAN_US)):
            for fact in measured(list(self._due(end)), end):
                self._series[series_of(fact)].put(fact)
                yield fact
        for series in [key for key, state in self._series.items() if state.is_over(end)]:
            del self._series[series]

    def _count(self, end: Micros, windows: Mapping[Series, WindowClosed]) -> None:
        """Add the bucket that ends at `end` to the history of every series that has a reference."""
        histories: list[History] = []
        counting: list[Counted] = []
        for series, window in windows.items():
            reference = self._profiles.at(series.model_id, series.version, end)
            history = self._state(series, end).over(reference)
            if history is not None:
                histories.append(history)
                metrics = {metric.name: metric for metric in window.metrics}
                counting.append((history.reference, metrics))
        for history, counts in zip(histories, counted(counting), strict=True):
            history.add(end, counts)

    def _due(self, end: Micros) -> Iterator[Due]:
        """The series that have a window to be measured at `end`, over the reference in force."""
        for series, state in self._series.items():
            policy, history = self._book.policy_in_force(series.model_id, end), state.history
            if policy is None or history is None or not is_due(history, policy, end):
                continue
            if history.reference is self._profiles.at(series.model_id, series.version, end):
                yield Due(series, state, history, policy)

    def _knows_after(self, end: Micros) -> bool:
        return self._known_after is not None and self._known_after <= max(end, 0)

    def _changes(
        self, series: Series, state: SeriesState, window: WindowClosed
    ) -> Iterator[ChangePointDetected]:
        policy = self._book.policy_in_force(series.model_id, window.end)
        watched = policy.change_point_metrics if policy else ()
        for metric in window.metrics:
            if metric.name not in watched:
                continue
            points = state.changes_of(metric.name)
            change = points.take(window.end, metric.mean)
            if change is None or not self._knows_after(reaches_back_to(window.end)):
                continue
            points.noticed(window.end)
            rises = change.mean_after > change.mean_before
            yield ChangePointDetected(
                derived_event_id(ChangePointDetected.record, *series, metric.name, window.end),
                *series,
                metric=metric.name,
                end=window.end,
                mean_before=change.mean_before,
                mean_after=change.mean_after,
                worse=rises != (metric.name in _BETTER_HIGH),
            )
