"""The life of a threshold alert, told cut by cut: given rules and windows, which facts follow."""

from dataclasses import replace

import pytest

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.schemas.events import (
    AlertKind,
    AlertRaised,
    AlertResolved,
    AlertUpdated,
    Direction,
    ResolveReason,
    Severity,
    Statistic,
)
from modeltrail.schemas.ids import ModelId
from tests.unit.processors.alert_log import (
    MODEL,
    RULE,
    S,
    absorb,
    cut,
    decided,
    latency,
    set_rules,
    story,
    told,
    window,
)


@pytest.fixture
def fold() -> AlertFold:
    return AlertFold(0)


def test_a_breach_is_raised_and_resolved_when_it_is_over(fold: AlertFold) -> None:
    # given a limit of 50 ms on the mean of 10 s
    # when it is broken for two cuts and then kept
    facts = story(fold, set_rules(RULE), latency(10, 80), latency(20, 70), latency(30, 40))

    # then one alert was raised, and resolved
    raised, resolved = facts
    assert isinstance(raised, AlertRaised)
    assert (raised.kind, raised.rule) == (AlertKind.THRESHOLD, "HIGH_LATENCY")
    assert raised.subject == "v1.0.0/production/champion/latency_ms"
    assert (raised.value, raised.threshold, raised.samples) == (80, 50, 1)
    assert raised.opened_at == raised.occurred_at == 10 * S
    assert raised.severity is Severity.WARNING
    assert raised.summary == (
        "MEAN of latency_ms over 10s is 80, above 50, for centerface v1.0.0 (production, champion)."
    )
    assert isinstance(resolved, AlertResolved)
    assert resolved.reason is ResolveReason.RECOVERED
    assert resolved.alert_id == raised.alert_id
    assert (resolved.opened_at, resolved.occurred_at) == (10 * S, 30 * S)


def test_a_limit_that_is_just_met_is_not_broken(fold: AlertFold) -> None:
    assert story(fold, set_rules(RULE), latency(10, 50)) == []


def test_below_is_the_other_side(fold: AlertFold) -> None:
    rule = replace(RULE, direction=Direction.BELOW, threshold=10.0)

    facts = story(fold, set_rules(rule), latency(10, 9), latency(20, 10))

    assert told(facts) == [("Raised", 10), ("Resolved", 20)]


def test_a_metric_that_oscillates_around_its_limit_raises_once(fold: AlertFold) -> None:
    # given an alert that resolves at 40 only
    rule = replace(RULE, resolve_threshold=40.0)
    # when latency swings around 50 for ten cuts, then falls
    swings = [latency(10 * n, 55 if n % 2 else 45) for n in range(1, 11)]
    facts = story(fold, set_rules(rule), *swings, latency(110, 40))

    # then there is one alert, with an update a minute at most
    assert told(facts) == [("Raised", 10), ("Updated", 80), ("Resolved", 110)]
    assert len({fact.alert_id for fact in facts}) == 1


def test_an_open_alert_is_updated_once_a_minute_when_its_value_changes(fold: AlertFold) -> None:
    changing = [latency(10 * n, 60 + n) for n in range(1, 15)]

    facts = story(fold, set_rules(RULE), *changing)

    assert told(facts) == [("Raised", 10), ("Updated", 70), ("Updated", 130)]
    assert [fact.value for fact in facts] == [61, 67, 73]


def test_an_open_alert_whose_value_stays_is_not_updated(fold: AlertFold) -> None:
    facts = story(fold, set_rules(RULE), *(latency(10 * n, 60) for n in range(1, 15)))

    assert told(facts) == [("Raised", 10)]


def test_a_breach_that_must_last_is_pending_first(fold: AlertFold) -> None:
    rule = replace(RULE, for_s=20.0)

    facts = story(fold, set_rules(rule), *(latency(10 * n, 60) for n in range(1, 5)))

    assert told(facts) == [("Pending", 10), ("Raised", 30)]
    assert {fact.opened_at for fact in facts} == {10 * S}
    assert len({fact.alert_id for fact in facts}) == 1


def test_a_breach_that_does_not_last_clears_while_pending(fold: AlertFold) -> None:
    rule = replace(RULE, for_s=30.0)

    facts = story(fold, set_rules(rule), latency(10, 60), latency(20, 40), latency(30, 60))

    assert told(facts) == [("Pending", 10), ("Resolved", 20), ("Pending", 30)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.CLEARED_WHILE_PENDING
    assert facts[0].alert_id != facts[2].alert_id


def test_too_few_samples_change_nothing(fold: AlertFold) -> None:
    rule = replace(RULE, minimum_samples=2)

    # one value would break it, one would resolve it
    facts = story(
        fold, set_rules(rule), latency(10, 80), latency(20, 80, 80), latency(30, 10), latency(40)
    )

    assert told(facts) == [("Raised", 20)]


def test_an_alert_of_a_series_that_falls_silent_stays_open(fold: AlertFold) -> None:
    silence = [latency(10 * n) for n in range(2, 60)]

    facts = story(fold, set_rules(RULE), latency(10, 80), *silence, latency(600, 10))

    assert told(facts) == [("Raised", 10), ("Resolved", 600)]


def test_a_removed_rule_resolves_its_alert_at_the_next_decision(fold: AlertFold) -> None:
    facts = story(
        fold, set_rules(RULE), latency(10, 80), set_rules(at_s=15), decided(20), decided(30)
    )

    assert told(facts) == [("Raised", 10), ("Resolved", 20)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.RULE_REMOVED
    assert facts[1].summary == (
        "Rule HIGH_LATENCY no longer holds for centerface v1.0.0 (production, champion)."
    )


def test_a_rule_that_looks_at_something_else_now_ends_its_alert_and_may_raise_another(
    fold: AlertFold,
) -> None:
    largest = replace(RULE, statistic=Statistic.MAX)

    facts = story(
        fold, set_rules(RULE), latency(10, 80), set_rules(largest, at_s=15), latency(20, 90)
    )

    assert told(facts) == [("Raised", 10), ("Resolved", 20), ("Raised", 20)]
    assert facts[0].alert_id == facts[1].alert_id != facts[2].alert_id


def test_a_threshold_that_is_raised_resolves_what_it_now_allows(fold: AlertFold) -> None:
    laxer = replace(RULE, threshold=100.0)

    facts = story(
        fold, set_rules(RULE), latency(10, 80), set_rules(laxer, at_s=15), latency(20, 80)
    )

    assert told(facts) == [("Raised", 10), ("Resolved", 20)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.RECOVERED


def test_a_rule_applies_to_windows_that_end_after_it_was_appended(fold: AlertFold) -> None:
    # given a rule that is known early
    facts = story(fold, set_rules(RULE, at_s=20), latency(10, 80), latency(20, 80), latency(30, 80))

    # then neither the window before nor the one that ends with it is judged
    assert told(facts) == [("Raised", 30)]


def test_a_model_s_own_rule_replaces_the_default_of_that_name(fold: AlertFold) -> None:
    own = replace(RULE, threshold=100.0)
    windows = [window(10, {"latency_ms": [80]}, model=model) for model in (MODEL, "other")]

    facts = story(fold, set_rules(RULE, model="*"), set_rules(own), cut(10, *windows))

    assert [fact.model_id for fact in facts] == [ModelId("other")]


def test_a_set_with_a_bad_rule_changes_nothing(fold: AlertFold) -> None:
    bad = replace(RULE, window="7s")

    facts = story(fold, set_rules(RULE), set_rules(bad, at_s=5), latency(10, 80))

    assert told(facts) == [("Raised", 10)]


def test_a_rule_of_one_environment_leaves_the_others_alone(fold: AlertFold) -> None:
    rule = replace(RULE, environment="staging")
    windows = [
        window(10, {"latency_ms": [80]}, environment=environment)
        for environment in ("staging", "production")
    ]

    facts = story(fold, set_rules(rule), cut(10, *windows))

    assert [fact.environment for fact in facts] == ["staging"]


def test_every_series_has_an_alert_of_its_own(fold: AlertFold) -> None:
    windows = [
        window(10, {"latency_ms": [80]}, version=version, arm=arm)
        for version in ("v1.0.0", "v2.0.0")
        for arm in ("champion", "candidate")
    ]

    facts = story(fold, set_rules(RULE), cut(10, *windows))

    assert len({fact.alert_id for fact in facts}) == 4
    assert len({fact.subject for fact in facts}) == 4


def test_dropped_frames_are_a_share_of_the_frames_measured_or_dropped(fold: AlertFold) -> None:
    rule = replace(
        RULE,
        name="DROPS",
        metric="dropped_frames",
        statistic=Statistic.SHARE,
        window="1m",
        threshold=0.05,
    )
    dropped = {"dropped_frames": [0.0] * 90 + [1.0] * 10}

    facts = story(fold, set_rules(rule), cut(10, window(10, dropped, "1m")))

    (raised,) = facts
    assert raised.value == pytest.approx(10 / 110)
    assert raised.samples == 100


def test_unmasked_faces_are_a_share_of_the_faces(fold: AlertFold) -> None:
    rule = replace(
        RULE,
        name="UNMASKED",
        metric="faces_unmasked",
        statistic=Statistic.SHARE,
        window="last_1000",
        threshold=0.1,
    )
    no_face = cut(10, window(10, {"faces_unmasked": [0.0], "faces": [0.0]}, "last_1000"))
    faces = cut(20, window(20, {"faces_unmasked": [1.0, 0.0], "faces": [2.0, 2.0]}, "last_1000"))

    facts = story(fold, set_rules(rule), no_face, faces)

    assert [(fact.occurred_at, fact.value) for fact in facts] == [(20 * S, 0.25)]


def test_a_share_of_another_metric_is_asked_for_by_name(fold: AlertFold) -> None:
    rule = replace(
        RULE, statistic=Statistic.SHARE, metric="misses", share_of="tries", threshold=0.5
    )
    tried = cut(10, window(10, {"misses": [3.0], "tries": [4.0]}))

    (raised,) = story(fold, set_rules(rule), tried)

    assert raised.value == 0.75


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        (Statistic.MEAN, 70.0),
        (Statistic.MIN, 60.0),
        (Statistic.MAX, 80.0),
        (Statistic.P50, 70.0),
        (Statistic.P95, 80.0),
        (Statistic.P99, 80.0),
    ],
)
def test_every_statistic_of_a_window_can_be_judged(
    fold: AlertFold, statistic: Statistic, value: float
) -> None:
    facts = story(fold, set_rules(replace(RULE, statistic=statistic)), latency(10, 60, 70, 80))

    assert [(fact.statistic, fact.value) for fact in facts] == [(statistic, value)]


def test_late_changes_of_a_window_change_no_decision(fold: AlertFold) -> None:
    late = window(10, {"latency_ms": [80]}, final=True)

    facts = story(fold, set_rules(RULE), latency(10, 40), cut(20, late))

    assert facts == []


def test_what_comes_again_changes_nothing(fold: AlertFold) -> None:
    once = [*latency(10, 80), *latency(20, 90)]

    facts = absorb(fold, set_rules(RULE), set_rules(RULE), *once, *once, *latency(80, 95))

    assert told(facts) == [("Raised", 10), ("Updated", 80)]
    assert isinstance(facts[1], AlertUpdated)
