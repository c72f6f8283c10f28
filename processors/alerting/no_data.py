"""Finds series that measure nothing any more, and those that do again."""

from collections.abc import Iterator, Mapping

from modeltrail.processors.alerting.book import AlertBook
from modeltrail.processors.alerting.conditions import metric_of
from modeltrail.processors.alerting.lifecycle import Finding, is_open, next_step
from modeltrail.processors.alerting.rule_index import RuleIndex
from modeltrail.processors.alerting.series import Series, series_of
from modeltrail.processors.alerting.sightings import Sightings
from modeltrail.processors.alerting.summaries import of_returned, of_silence
from modeltrail.processors.alerting.thresholds import CutWindows, subject_of
from modeltrail.schemas.events import (
    AlertKind,
    AlertState,
    ResolveReason,
    ThresholdRule,
    WindowClosed,
)
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.rule_problems import HOPS, LAST_1000


def judge_silence(
    windows: CutWindows, end: Micros, rules: RuleIndex, alerts: AlertBook, sightings: Sightings
) -> Iterator[AlertState]:
    """The steps of NO_DATA alerts at `end`.

    A series that was never seen, or not for an hour when a rule is set, is not missing.
    """
    silent = {series_of(last) for last in alerts.open_before(end) if last.kind is AlertKind.NO_DATA}
    watched = {
        series: watching
        for series in silent.union(sightings.series())
        if (watching := rules.of(series, end).no_data)
    }
    for series in sorted(watched):
        held = windows.get(series, {})
        for rule in watched[series]:
            last = alerts.last(series, rule.name, rule.metric)
            known = is_open(last) or sightings.knows(series, rule.metric, end)
            finding = _find(rule, series, held, end) if known else None
            if finding and (step := next_step(last, subject_of(rule, series), finding, end)):
                yield step


def _find(
    rule: ThresholdRule, series: Series, held: Mapping[str, WindowClosed], end: Micros
) -> Finding | None:
    samples = max(
        (
            _samples(window, rule.metric)
            for length, window in held.items()
            # The newest 1,000 may be an hour old.
            if length != LAST_1000 and _no_longer(length, rule.window)
        ),
        default=0,
    )
    if samples:
        summary = of_returned(rule, series)
        return Finding(samples, samples, False, True, summary, ResolveReason.DATA_RETURNED)
    if end % HOPS[rule.window]:
        return None
    return Finding(0.0, 0, True, False, of_silence(rule, series))


def _no_longer(length: str, than: str) -> bool:
    lengths = tuple(HOPS)
    return lengths.index(length) <= lengths.index(than)


def _samples(window: WindowClosed, metric: str) -> int:
    if not metric:
        return window.measurements
    found = metric_of(window, metric)
    return found.count if found else 0
