"""Orders the breaches of single values by the cut they belong to, whoever publishes them first."""

from collections import defaultdict

from modeltrail.processors.alerting.book import AlertBook
from modeltrail.processors.alerting.conditions import judge_value
from modeltrail.processors.alerting.lifecycle import Finding, is_open, next_step
from modeltrail.processors.alerting.rule_index import RuleIndex, RulesOfSeries
from modeltrail.processors.alerting.series import end_before, series_of
from modeltrail.processors.alerting.summaries import of_value
from modeltrail.processors.alerting.thresholds import subject_of
from modeltrail.schemas.events import AlertState, Statistic, ThresholdRule, ValueBreached
from modeltrail.schemas.ids import Micros

#: How long after it was set a rule is applied to single values: everybody knows it by then.
RULE_DELAY_US = 2_000_000


class BreachQueue:
    """Breaches that wait for the decision of the cut before them."""

    def __init__(self) -> None:
        self._waiting: dict[Micros, list[ValueBreached]] = defaultdict(list)

    def put(self, breach: ValueBreached) -> None:
        """Keep one breach."""
        self._waiting[end_before(breach.appended_at)].append(breach)

    def take(self, decided: Micros) -> list[ValueBreached]:
        """The breaches that began after the decision of `decided` or earlier ones, in order."""
        due = sorted(end for end in self._waiting if end <= decided)
        return [
            breach for end in due for breach in sorted(self._waiting.pop(end), key=_order_in_log)
        ]


def raise_breach(breach: ValueBreached, rules: RuleIndex, alerts: AlertBook) -> AlertState | None:
    """The alert that `breach` opens, if there is none about the same already."""
    series, opened_at = series_of(breach), end_before(breach.appended_at)
    last = alerts.last(series, breach.rule, breach.metric)
    if is_open(last):
        return None
    rule = _value_rule(breach, rules.of(series, Micros(breach.appended_at - RULE_DELAY_US)))
    # A rule that has just been taken away would be raised for nothing.
    if rule is None or _value_rule(breach, rules.of(series, breach.appended_at)) is None:
        return None
    if not judge_value(rule, breach.value, 1).breached:
        return None
    finding = Finding(breach.value, 1, True, False, of_value(rule, series, breach))
    return next_step(last, subject_of(rule, series), finding, opened_at)


def _value_rule(breach: ValueBreached, rules: RulesOfSeries) -> ThresholdRule | None:
    rule = rules.by_name.get(breach.rule)
    if rule is None or rule.statistic is not Statistic.VALUE or rule.metric != breach.metric:
        return None
    return rule


def _order_in_log(breach: ValueBreached) -> tuple[int, int, int]:
    return breach.appended_at, breach.source_partition, breach.source_offset
