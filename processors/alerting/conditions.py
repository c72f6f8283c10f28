"""Answers what a rule makes of a window: the value it compares, and on which side that lies."""

from typing import NamedTuple

from modeltrail.processors.alerting.parity import Parity, parity_of
from modeltrail.schemas.events import (
    Direction,
    MetricWindow,
    Statistic,
    ThresholdRule,
    WindowClosed,
)
from modeltrail.schemas.rule_problems import STANDARD_WHOLES

_FRACTION = 2.0**-40


class Judgement(NamedTuple):
    """A value against its rule; neither breached nor recovered lies between the two thresholds."""

    value: float
    samples: int
    breached: bool
    recovered: bool
    parity: Parity | None = None


def judge(rule: ThresholdRule, window: WindowClosed) -> Judgement | None:
    """Judge what `window` holds of the rule's metric; None: too few samples to say anything."""
    if rule.statistic in (Statistic.PARITY_RATIO, Statistic.PARITY_DIFFERENCE):
        return _judge_parity(rule, window)
    metric = metric_of(window, rule.metric)
    if metric is None or metric.count < rule.minimum_samples:
        return None
    value = _value(rule, metric, window)
    return None if value is None else judge_value(rule, value, metric.count)


def judge_value(rule: ThresholdRule, value: float, samples: int) -> Judgement:
    """Judge a value that is at hand."""
    back = rule.threshold if rule.resolve_threshold is None else rule.resolve_threshold
    if rule.direction is Direction.ABOVE:
        return Judgement(value, samples, value > rule.threshold, value <= back)
    return Judgement(value, samples, value < rule.threshold, value >= back)


def metric_of(window: WindowClosed, name: str) -> MetricWindow | None:
    """The metric of that name, if the window has a value of it."""
    for metric in window.metrics:
        if metric.name == name:
            return metric if metric.count else None
    return None


def _judge_parity(rule: ThresholdRule, window: WindowClosed) -> Judgement | None:
    parity = parity_of(window, rule.metric, rule.minimum_samples)
    if parity is None:
        return None
    ratio = rule.statistic is Statistic.PARITY_RATIO
    value = parity.ratio if ratio else parity.difference
    if value is None:
        return None
    judged = judge_value(rule, value, parity.samples)
    return judged._replace(breached=judged.breached and not parity.may_be_chance, parity=parity)


def _value(rule: ThresholdRule, metric: MetricWindow, window: WindowClosed) -> float | None:
    match rule.statistic:
        case Statistic.MEAN:
            return metric.mean
        case Statistic.MIN:
            return metric.min
        case Statistic.MAX:
            return metric.max
        case Statistic.P50:
            return metric.p50
        case Statistic.P95:
            return metric.p95
        case Statistic.P99:
            return metric.p99
        case Statistic.VALUE:
            # The worst of the single values that the window holds.
            return metric.max if rule.direction is Direction.ABOVE else metric.min
        case Statistic.SHARE:
            return _share(rule, metric, window)
        case _:
            return None


def _share(rule: ThresholdRule, metric: MetricWindow, window: WindowClosed) -> float | None:
    part = _sum(metric)
    whole_name = rule.share_of or STANDARD_WHOLES.get(rule.metric, "")
    if not rule.share_of and whole_name == "measurements":
        # A dropped frame is not measured: the frames are those measured and those dropped.
        whole = part + window.measurements
    else:
        of = metric_of(window, whole_name)
        whole = _sum(of) if of else 0.0
    return part / whole if whole else None


def _sum(metric: MetricWindow) -> float:
    return metric.sum_whole + metric.sum_fraction * _FRACTION
