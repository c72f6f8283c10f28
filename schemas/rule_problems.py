"""Answers what is wrong with a rule or a drift policy, and what to do about it."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    ANY_MODEL,
    Direction,
    DriftPolicySet,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import check_id, check_metric_name

SECOND_US = 1_000_000
LAST_1000 = "last_1000"

#: Length of each window in microseconds; the newest 1,000 are looked for in one hour.
WINDOWS: Mapping[str, int] = MappingProxyType(
    {
        "10s": 10 * SECOND_US,
        "1m": 60 * SECOND_US,
        "5m": 300 * SECOND_US,
        "1h": 3600 * SECOND_US,
        LAST_1000: 3600 * SECOND_US,
    }
)
#: How far apart the ends of such windows lie, in microseconds.
HOPS: Mapping[str, int] = MappingProxyType(
    {
        "10s": 10 * SECOND_US,
        "1m": 10 * SECOND_US,
        "5m": 60 * SECOND_US,
        "1h": 300 * SECOND_US,
        LAST_1000: 10 * SECOND_US,
    }
)
#: Metrics with a whole of their own; `dropped_frames` is a part of the frames measured or dropped.
STANDARD_WHOLES: Mapping[str, str] = MappingProxyType(
    {"dropped_frames": "measurements", "faces_unmasked": "faces"}
)
#: What stands between the name of a metric and that of a group, as in `missed@a`.
GROUP_MARK = "@"
#: Names that alerts of drift carry where those of thresholds carry the name of their rule.
DRIFT_RULE = "DRIFT"
CHANGE_POINT_RULE = "CHANGE_POINT"

_STATISTICS = tuple(each.value for each in Statistic if each is not Statistic.UNKNOWN)

MOST_RULES = 100
LONGEST_FOR_S = 86_400.0
MOST_LAST = 1000
MOST_PERSISTENCE = 100


def problem_of(rule: ThresholdRule) -> str | None:
    """What is wrong with `rule` and what to do; None: it can be set."""
    return next(_rule_problems(rule), None)


def problems_of(fact: ThresholdsSet | DriftPolicySet) -> tuple[tuple[str, str], ...]:
    """Every (rule, problem) of what was set; of a drift policy the name of the field."""
    found = [("", problem) for problem in _model_problems(fact.model_id)]
    if isinstance(fact, DriftPolicySet):
        return (*found, *_policy_problems(fact))
    return (*found, *_set_problems(fact))


def told(problems: tuple[tuple[str, str], ...]) -> str:
    """Every problem in one line, each behind the rule that it is about."""
    return "; ".join(f"{rule}: {problem}" if rule else problem for rule, problem in problems)[:4000]


def nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """The name that was probably meant, or all that there are."""
    close = get_close_matches(name, tuple(known), n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"


def _model_problems(model_id: str) -> Iterator[str]:
    if model_id != ANY_MODEL:
        yield from _id_problems("model id", model_id)


def _set_problems(fact: ThresholdsSet) -> Iterator[tuple[str, str]]:
    if len(fact.rules) > MOST_RULES:
        yield "", f"{len(fact.rules)} rules: {MOST_RULES} are allowed for a model; set fewer"
    for name, times in Counter(rule.name for rule in fact.rules).items():
        if times > 1:
            yield name, f"{times} rules have this name: give each one of its own"
    for rule in fact.rules:
        if problem := problem_of(rule):
            yield rule.name, problem


def _rule_problems(rule: ThresholdRule) -> Iterator[str]:
    yield from _id_problems("name", rule.name)
    if rule.name in (DRIFT_RULE, CHANGE_POINT_RULE):
        yield f"name {rule.name} is kept for alerts of drift: choose another"
    if rule.metric or rule.statistic is not Statistic.NO_DATA:
        yield from _metric_problems(rule.metric)
    if rule.environment:
        yield from _id_problems("environment", rule.environment)
    if rule.severity is Severity.UNKNOWN:
        yield "severity is not known: use INFO, WARNING or CRITICAL"
    if not 0 <= rule.for_s <= LONGEST_FOR_S:
        yield f"for_s is {rule.for_s}: give seconds from 0 to {LONGEST_FOR_S:.0f}"
    if rule.minimum_samples < 1:
        yield f"minimum_samples is {rule.minimum_samples}: give 1 or more"
    if rule.share_of and rule.statistic is not Statistic.SHARE:
        yield f"share_of is for SHARE only, not {rule.statistic}: leave it out"
    match rule.statistic:
        case Statistic.UNKNOWN:
            yield f"statistic is not known: use {', '.join(_STATISTICS)}"
        case Statistic.NO_DATA:
            yield from _no_data_problems(rule)
        case Statistic.VALUE:
            yield from _value_problems(rule)
            yield from _threshold_problems(rule)
        case Statistic.SHARE:
            yield from _window_problems(rule)
            yield from _threshold_problems(rule)
            yield from _share_problems(rule)
        case Statistic.PARITY_RATIO | Statistic.PARITY_DIFFERENCE:
            yield from _window_problems(rule)
            yield from _threshold_problems(rule)
            yield from _parity_problems(rule)
        case _:
            yield from _window_problems(rule)
            yield from _threshold_problems(rule)


def _threshold_problems(rule: ThresholdRule) -> Iterator[str]:
    if rule.direction is Direction.UNKNOWN:
        yield "direction is not known: use ABOVE or BELOW"
    if not math.isfinite(rule.threshold):
        yield f"threshold is {rule.threshold}: give a finite number"
    back = rule.resolve_threshold
    if back is None:
        return
    if not math.isfinite(back):
        yield f"resolve_threshold is {back}: give a finite number, or leave it out"
    elif rule.direction is Direction.ABOVE and back > rule.threshold:
        yield f"resolve_threshold {back:g} is above the threshold: give {rule.threshold:g} or less"
    elif rule.direction is Direction.BELOW and back < rule.threshold:
        yield f"resolve_threshold {back:g} is below the threshold: give {rule.threshold:g} or more"


def _window_problems(rule: ThresholdRule) -> Iterator[str]:
    if rule.window not in WINDOWS:
        yield f"window {rule.window!r:.40} is not known: {nearest(rule.window, WINDOWS)}"
    elif rule.window == LAST_1000 and rule.minimum_samples > MOST_LAST:
        yield f"minimum_samples {rule.minimum_samples} is more than last_1000 holds: lower it"


def _value_problems(rule: ThresholdRule) -> Iterator[str]:
    if rule.window:
        yield f"VALUE looks at single values, not at the window {rule.window!r:.40}: leave it out"
    if rule.for_s:
        yield "VALUE is raised by one value and knows no for_s: use MIN or MAX of a window"
    if rule.minimum_samples != 1:
        yield "VALUE is raised by one value and knows no minimum_samples: leave it out"


def _no_data_problems(rule: ThresholdRule) -> Iterator[str]:
    if rule.window == LAST_1000:
        yield "NO_DATA needs a length of time, which last_1000 is not: use 10s, 1m, 5m or 1h"
    else:
        yield from _window_problems(rule)
    if rule.resolve_threshold is not None:
        yield "NO_DATA resolves when data return and knows no resolve_threshold: leave it out"
    if rule.minimum_samples != 1:
        yield "NO_DATA knows no minimum_samples: leave it out"
    if not math.isfinite(rule.threshold):
        yield f"threshold is {rule.threshold}, which NO_DATA does not look at: give 1"


def _share_problems(rule: ThresholdRule) -> Iterator[str]:
    if rule.share_of:
        yield from _metric_problems(rule.share_of)
        if rule.share_of == rule.metric:
            yield f"share_of is {rule.metric!r} itself: name the metric of the whole"
    elif rule.metric not in STANDARD_WHOLES:
        yield f"SHARE of {rule.metric!r} has no standard whole: name its metric in share_of"
    elif not 0 <= rule.threshold <= 1:
        yield f"threshold {rule.threshold:g} is no share: give 0 to 1, for 5 % write 0.05"


def _parity_problems(rule: ThresholdRule) -> Iterator[str]:
    if GROUP_MARK in rule.metric:
        yield (
            f"metric {rule.metric!r:.40} names a group, and {rule.statistic} compares all of them: "
            f"give what stands before {GROUP_MARK}"
        )
    if rule.statistic is Statistic.PARITY_DIFFERENCE:
        if rule.direction is Direction.BELOW:
            yield "PARITY_DIFFERENCE is 0 where groups are alike: use above"
        if rule.threshold < 0:
            yield f"threshold {rule.threshold:g} is no difference: give 0 or more"
        elif rule.resolve_threshold is not None and rule.resolve_threshold < 0:
            yield f"resolve_threshold {rule.resolve_threshold:g} is never reached: give 0 or more"
        return
    if rule.direction is Direction.ABOVE:
        yield "PARITY_RATIO is 1 where groups are alike: use below"
    if not 0 < rule.threshold <= 1:
        yield f"threshold {rule.threshold:g} is no ratio: for four fifths write 0.8"
    elif rule.resolve_threshold is not None and rule.resolve_threshold > 1:
        yield f"resolve_threshold {rule.resolve_threshold:g} is never reached: give 1 or less"


def _policy_problems(fact: DriftPolicySet) -> Iterator[tuple[str, str]]:
    if fact.severity is Severity.UNKNOWN:
        yield "severity", "severity is not known: use INFO, WARNING or CRITICAL"
    if fact.window == LAST_1000 or fact.window not in WINDOWS:
        yield "window", f"window {fact.window!r:.40} is none of drift: use 10s, 1m, 5m or 1h"
    if not (math.isfinite(fact.psi_threshold) and fact.psi_threshold > 0):
        yield "psi_threshold", f"psi_threshold is {fact.psi_threshold}: give more than 0, e.g. 0.2"
    if not 0 < fact.false_discovery_rate < 1:
        yield (
            "false_discovery_rate",
            f"false_discovery_rate is {fact.false_discovery_rate}: give a share between 0 and 1",
        )
    for field in ("minimum_effective_samples", "persistence"):
        if (number := getattr(fact, field)) < 1:
            yield field, f"{field} is {number}: give 1 or more"
    if fact.persistence > MOST_PERSISTENCE:
        yield "persistence", f"persistence is {fact.persistence}: give {MOST_PERSISTENCE} or less"
    for field in ("features", "change_point_metrics"):
        names: tuple[str, ...] = getattr(fact, field)
        if len(set(names)) < len(names):
            yield field, f"{field} names one twice: leave it out"
        for name in names:
            yield from ((field, problem) for problem in _metric_problems(name))


def _id_problems(kind: str, value: str) -> Iterator[str]:
    try:
        check_id(kind, value)
    except InvalidFact as error:
        yield str(error)


def _metric_problems(name: str) -> Iterator[str]:
    try:
        check_metric_name(name)
    except InvalidFact as error:
        yield str(error)
