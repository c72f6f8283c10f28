"""Answers which measurements are the first of their step to break a rule on single values."""

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modeltrail.processors.windows.columns import Codes, Flags, Floats, Integers
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Direction, Statistic, ThresholdRule, ThresholdsSet
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.rulebook import RuleBook

#: A rule on single values holds for what is appended more than this after it.
_IN_FORCE_AFTER_MS = 2_000


class Breach(NamedTuple):
    """A row that broke a rule."""

    row: int
    series: int
    rule: str
    value: float


@dataclass(slots=True)
class _Slot:
    """At most one rule for each series, all on one metric and in one direction.

    `thresholds` has NaN where a series has none, `open` says for whom a breach would be the first.
    """

    above: bool
    thresholds: Floats
    names: list[str]
    open: Flags

    def make_room(self, more: int) -> None:
        """Have no rule for so many more series."""
        self.thresholds = np.append(self.thresholds, np.full(more, np.nan))
        self.names += [""] * more
        self.open = np.append(self.open, np.zeros(more, dtype=np.bool_))


class ValueRules:
    """The rules on single values, arranged so that a column is compared at once."""

    def __init__(self, series: Codes[Series]) -> None:
        self._series = series
        self._book = RuleBook()
        self._changes_ms: list[int] = []
        self._seen: set[tuple[int, str]] = set()
        # For each metric, one for each direction and rank among the rules of a series.
        self._slots: dict[str, dict[tuple[bool, int], _Slot]] = {}
        self._arranged: tuple[int, int] | None = None
        self._arranged_series = 0

    def set(self, record: Appended) -> None:
        """Take a fact of the rules topic; anything but thresholds is passed over."""
        if isinstance(record.fact, ThresholdsSet):
            self._book.set(record)
            insort(self._changes_ms, record.appended_ms + _IN_FORCE_AFTER_MS + 1)

    def changes_between(self, first_ms: int, last_ms: int) -> list[int]:
        """The append times after `first_ms` up to `last_ms` from which other rules hold."""
        begin = bisect_right(self._changes_ms, first_ms)
        return self._changes_ms[begin : bisect_right(self._changes_ms, last_ms)]

    def begin_step(self) -> None:
        """From now on a breach is the first one again."""
        if self._seen:
            self._seen.clear()
            self._arranged = None

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that the rules at hand judge."""
        return frozenset(self._slots)

    def arrange(self, time_ms: int) -> None:
        """Bring the rules in force at `time_ms` to hand."""
        key = bisect_right(self._changes_ms, time_ms), len(self._changes_ms)
        if key != self._arranged:
            self._arranged = key
            self._slots, self._arranged_series = {}, 0
        if key[0]:
            self._arrange_new_series(time_ms)

    def first_breaches(self, metric: str, series: Integers, values: Floats) -> list[Breach]:
        """The first row of each (series, rule) that breaks it in this step.

        Args:
            metric: which one the values are of.
            series: of each row, in the order of the log.
            values: of each row; NaN breaks nothing.
        """
        found = []
        for slot in self._slots.get(metric, {}).values():
            limits = slot.thresholds[series]
            broken = (values > limits) if slot.above else (values < limits)
            rows = np.flatnonzero(broken & slot.open[series])
            codes, firsts = np.unique(series[rows], return_index=True)
            for code, row in zip(codes.tolist(), rows[firsts].tolist(), strict=True):
                self._seen.add((code, slot.names[code]))
                slot.open[code] = False
                found.append(Breach(row, code, slot.names[code], float(values[row])))
        return found

    def _arrange_new_series(self, time_ms: int) -> None:
        known, size = self._arranged_series, len(self._series)
        if known == size:
            return
        self._arranged_series = size
        for of_metric in self._slots.values():
            for slot in of_metric.values():
                slot.make_room(size - known)
        for code in range(known, size):
            ranks: dict[tuple[str, bool], int] = defaultdict(int)
            for rule in self._rules_of(self._series[code], time_ms):
                above = rule.direction is Direction.ABOVE
                slot = self._slot(rule.metric, above, ranks[rule.metric, above])
                ranks[rule.metric, above] += 1
                slot.thresholds[code] = rule.threshold
                slot.names[code] = rule.name
                slot.open[code] = (code, rule.name) not in self._seen

    def _slot(self, metric: str, above: bool, rank: int) -> _Slot:
        of_metric = self._slots.setdefault(metric, {})
        if (above, rank) not in of_metric:
            of_metric[above, rank] = _Slot(above, np.zeros(0), [], np.zeros(0, dtype=np.bool_))
            of_metric[above, rank].make_room(self._arranged_series)
        return of_metric[above, rank]

    def _rules_of(self, series: Series, time_ms: int) -> list[ThresholdRule]:
        model_id, _, environment, _ = series
        as_of = Micros((time_ms - _IN_FORCE_AFTER_MS) * 1000)
        return [
            rule
            for rule in self._book.thresholds_at(model_id, as_of)
            if rule.statistic is Statistic.VALUE and rule.environment in ("", environment)
        ]
