"""The life of an alert about single values: raised by a measurement, resolved by a window."""

from dataclasses import replace

import pytest

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.schemas.events import AlertRaised, AlertResolved, ResolveReason
from tests.unit.processors.alert_log import (
    VALUE_RULE,
    S,
    breach,
    decided,
    latency,
    set_rules,
    story,
    told,
)


@pytest.fixture
def fold() -> AlertFold:
    return AlertFold(0)


def test_a_value_raises_at_once_and_resolves_with_the_first_window_without_one(
    fold: AlertFold,
) -> None:
    # given a decision up to 10 s, made of what was appended by 11 s
    facts = story(fold, set_rules(VALUE_RULE), decided(10), breach(12.5, 90))

    # then the next breach opens an alert, no decision is waited for
    (raised,) = facts
    assert isinstance(raised, AlertRaised)
    assert raised.opened_at == 10 * S
    assert (raised.value, raised.statistic, raised.window) == (90, "VALUE", "")
    assert raised.summary == (
        "latency_ms of frame 7 on node-0 is 90, above 50, "
        "for centerface v1.0.0 (production, champion)."
    )

    # and windows that still hold such values keep it open
    facts = story(fold, latency(20, 10, 90), latency(30, 10, 20))
    assert told(facts) == [("Resolved", 30)]
    assert isinstance(facts[0], AlertResolved)
    assert facts[0].reason is ResolveReason.RECOVERED
    assert facts[0].value == 20


def test_windows_alone_never_raise_a_rule_on_values(fold: AlertFold) -> None:
    assert story(fold, set_rules(VALUE_RULE), latency(10, 90), latency(20, 90)) == []


def test_breaches_of_several_partitions_are_one_alert(fold: AlertFold) -> None:
    facts = story(
        fold, set_rules(VALUE_RULE), decided(10), breach(14, source=1), breach(12, source=0)
    )

    assert told(facts) == [("Raised", 10)]


def test_a_breach_of_a_partition_that_is_ahead_waits_for_the_decision_before_it(
    fold: AlertFold,
) -> None:
    # given a breach from after the cut at 21 s, and the decision of 10 s only
    facts = story(fold, set_rules(VALUE_RULE), decided(10), breach(22))
    assert facts == []

    # when the cut is decided
    facts = story(fold, latency(20, 10))

    # then it is raised
    assert told(facts) == [("Raised", 20)]


def test_a_breach_that_comes_again_after_its_alert_is_over_is_ignored(fold: AlertFold) -> None:
    facts = story(
        fold,
        set_rules(VALUE_RULE),
        decided(10),
        breach(12),
        latency(20, 10),
        breach(12),
        latency(30, 10),
        breach(13, source=2),
    )

    assert told(facts) == [("Raised", 10), ("Resolved", 20)]


def test_breaches_before_the_first_decision_wait_for_it(fold: AlertFold) -> None:
    facts = story(fold, set_rules(VALUE_RULE), breach(12), breach(3.5), latency(20, 90))

    assert told(facts) == [("Raised", 0)]


def test_a_new_rule_is_for_values_appended_more_than_two_seconds_after_it(
    fold: AlertFold,
) -> None:
    rules = set_rules(VALUE_RULE, at_s=12)

    assert story(fold, rules, decided(10), breach(14)) == []
    assert told(story(fold, breach(14.1))) == [("Raised", 10)]


def test_a_breach_of_a_rule_that_was_just_removed_is_ignored(fold: AlertFold) -> None:
    facts = story(
        fold, set_rules(VALUE_RULE), set_rules(at_s=12), decided(10), breach(13), decided(20)
    )

    assert facts == []


def test_a_breach_under_another_limit_of_its_rule_is_ignored(fold: AlertFold) -> None:
    assert story(fold, set_rules(VALUE_RULE), decided(10), breach(12, value=50.0)) == []


def test_hysteresis_holds_for_values_too(fold: AlertFold) -> None:
    rule = replace(VALUE_RULE, resolve_threshold=30.0)

    facts = story(
        fold, set_rules(rule), decided(10), breach(12), latency(20, 40), latency(30, 20, 30)
    )

    assert told(facts) == [("Raised", 10), ("Resolved", 30)]
