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


@dataclass(frozen=True, slots=True)
class _Slot:
    """At most one rule for each series, all on one metric and in one direction.

    `thresholds` has NaN where a series has none, `open` says for whom a breach would be the first.
    """

    above: bool
    thresholds: Floats
    names: list[str]
    open: Flags


class ValueRules:
    """The rules on single values, arranged so that a column is compared at once."""

    def __init__(self, series: Codes[Series]) -> None:
        self._series = series
        self._book = RuleBook()
        self._changes_ms: list[int] = []
        self._seen: set[tuple[int, str]] = set()
        self._slots: dict[str, list[_Slot]] = {}
        self._arranged: tuple[int, int, int] | None = None

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
        key = (
            bisect_right(self._changes_ms, time_ms),
            len(self._changes_ms),
            len(self._series),
        )
        if key != self._arranged:
            self._arranged = key
            self._slots = self._slots_at(time_ms) if key[0] else {}

    def first_breaches(self, metric: str, series: Integers, values: Floats) -> list[Breach]:
        """The first row of each (series, rule) that breaks it in this step.

        Args:
            metric: which one the values are of.
            series: of each row, in the order of the log.
            values: of each row; NaN breaks nothing.
        """
        found = []
        for slot in self._slots.get(metric, ()):
            limits = slot.thresholds[series]
            broken = (values > limits) if slot.above else (values < limits)
            rows = np.flatnonzero(broken & slot.open[series])
            codes, firsts = np.unique(series[rows], return_index=True)
            for code, row in zip(codes.tolist(), rows[firsts].tolist(), strict=True):
                self._seen.add((code, slot.names[code]))
                slot.open[code] = False
                found.append(Breach(row, code, slot.names[code], float(values[row])))
        return found

    def _slots_at(self, time_ms: int) -> dict[str, list[_Slot]]:
        slots: dict[str, dict[tuple[bool, int], _Slot]] = defaultdict(dict)
        size = len(self._series)
        for code in range(size):
            ranks: dict[tuple[str, bool], int] = defaultdict(int)
            for rule in self._rules_of(self._series[code], time_ms):
                above = rule.direction is Direction.ABOVE
                rank = ranks[rule.metric, above]
                ranks[rule.metric, above] += 1
                slot = slots[rule.metric].setdefault((above, rank), _empty_slot(above, size))
                slot.thresholds[code] = rule.threshold
                slot.names[code] = rule.name
                slot.open[code] = (code, rule.name) not in self._seen
        return {metric: list(each.values()) for metric, each in slots.items()}

    def _rules_of(self, series: Series, time_ms: int) -> list[ThresholdRule]:
        model_id, _, environment, _ = series
        as_of = Micros((time_ms - _IN_FORCE_AFTER_MS) * 1000)
        return [
            rule
            for rule in self._book.thresholds_at(model_id, as_of)
            if rule.statistic is Statistic.VALUE and rule.environment in ("", environment)
        ]


def _empty_slot(above: bool, size: int) -> _Slot:
    return _Slot(above, np.full(size, np.nan), [""] * size, np.zeros(size, dtype=np.bool_))
