"""Answers which threshold rules apply to a series, sorted by what has to be looked at."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from modeltrail.processors.alerting.series import Series
from modeltrail.schemas.events import AlertState, Statistic, ThresholdRule
from modeltrail.schemas.ids import Micros, ModelId
from modeltrail.schemas.rulebook import RuleBook

#: Single values are raised one by one, and found to be over in the shortest window.
VALUE_WINDOW = "10s"


@dataclass(frozen=True, slots=True)
class RulesOfSeries:
    """The rules of one model in one environment: `judged` by window, the others by kind."""

    judged: Mapping[str, tuple[ThresholdRule, ...]]
    no_data: tuple[ThresholdRule, ...]
    by_name: Mapping[str, ThresholdRule]

    def rule_of(self, alert: AlertState) -> ThresholdRule | None:
        """The rule that `alert` is about, unless it has gone or looks at something else now."""
        rule = self.by_name.get(alert.rule)
        if rule is None:
            return None
        now = (rule.metric, rule.statistic, rule.window)
        return rule if now == (alert.metric, alert.statistic, alert.window) else None


class RuleIndex:
    """The rules of every series; sorted once for as long as nothing is set."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._sorted: dict[
            tuple[ModelId, str], tuple[tuple[ThresholdRule, ...], RulesOfSeries]
        ] = {}

    def of(self, series: Series, time_us: Micros) -> RulesOfSeries:
        """The rules that apply to a window of `series` that ends at `time_us`."""
        rules = self._book.thresholds_at(series.model_id, time_us)
        key = (series.model_id, series.environment)
        known = self._sorted.get(key)
        if known is None or known[0] is not rules:
            known = (rules, _sorted_for(rules, series.environment))
            self._sorted[key] = known
        return known[1]


def _sorted_for(rules: tuple[ThresholdRule, ...], environment: str) -> RulesOfSeries:
    judged: dict[str, list[ThresholdRule]] = defaultdict(list)
    applying = [rule for rule in rules if rule.environment in ("", environment)]
    for rule in applying:
        if rule.statistic is not Statistic.NO_DATA:
            judged[rule.window or VALUE_WINDOW].append(rule)
    return RulesOfSeries(
        judged={window: tuple(of_window) for window, of_window in judged.items()},
        no_data=tuple(rule for rule in applying if rule.statistic is Statistic.NO_DATA),
        by_name={rule.name: rule for rule in applying},
    )
