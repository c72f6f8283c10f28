"""Judges the windows of a cut by the threshold rules; gives the next steps of their alerts."""

from collections.abc import Iterator, Mapping

from modeltrail.processors.alerting.book import AlertBook
from modeltrail.processors.alerting.conditions import judge
from modeltrail.processors.alerting.lifecycle import Finding, Subject, is_open, next_step
from modeltrail.processors.alerting.rule_index import RuleIndex
from modeltrail.processors.alerting.series import Series
from modeltrail.processors.alerting.summaries import of_window
from modeltrail.schemas.events import (
    AlertKind,
    AlertState,
    Statistic,
    ThresholdRule,
    WindowClosed,
)
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.rule_problems import SECOND_US

#: The windows of one cut: series, then length.
CutWindows = Mapping[Series, Mapping[str, WindowClosed]]


def judge_cut(
    windows: CutWindows, end: Micros, rules: RuleIndex, alerts: AlertBook
) -> Iterator[AlertState]:
    """The steps that the windows ending at `end` call for; what is not judged stays."""
    for series in sorted(windows):
        judged = rules.of(series, end).judged
        for length, window in windows[series].items():
            for rule in judged.get(length, ()):
                if step := _judge_rule(rule, series, window, end, alerts):
                    yield step


def _judge_rule(
    rule: ThresholdRule, series: Series, window: WindowClosed, end: Micros, alerts: AlertBook
) -> AlertState | None:
    judgement = judge(rule, window)
    if judgement is None:
        return None
    last = alerts.last(series, rule.name, rule.metric)
    # A breach of a single value has been raised already, by the measurement itself.
    may_begin = judgement.breached and rule.statistic is not Statistic.VALUE
    if not may_begin and not is_open(last):
        return None
    finding = Finding(
        judgement.value,
        judgement.samples,
        judgement.breached,
        judgement.recovered,
        of_window(rule, series, judgement),
    )
    return next_step(last, subject_of(rule, series), finding, end)


def subject_of(rule: ThresholdRule, series: Series) -> Subject:
    """What an alert of `rule` about `series` says of itself."""
    no_data = rule.statistic is Statistic.NO_DATA
    return Subject(
        series=series,
        kind=AlertKind.NO_DATA if no_data else AlertKind.THRESHOLD,
        rule=rule.name,
        metric=rule.metric,
        statistic=rule.statistic,
        window=rule.window,
        severity=rule.severity,
        threshold=rule.threshold,
        for_us=round(rule.for_s * SECOND_US),
    )
