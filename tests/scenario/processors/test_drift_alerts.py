"""The life of alerts about drift and change points, which follow the policy of the model."""

import pytest

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.schemas.events import AlertKind, AlertRaised, AlertResolved, ResolveReason
from tests.unit.processors.alert_log import (
    S,
    change,
    decided,
    drift,
    set_policy,
    story,
    told,
)


@pytest.fixture
def fold() -> AlertFold:
    return AlertFold(0)


def test_drift_is_raised_when_it_persists(fold: AlertFold) -> None:
    # given a policy that asks for three windows in a row
    facts = story(fold, set_policy(), drift(60, 1), drift(120, 2), drift(180, 3))

    (raised,) = facts
    assert isinstance(raised, AlertRaised)
    assert (raised.kind, raised.rule) == (AlertKind.DRIFT, "DRIFT")
    assert raised.subject == "v1.0.0/production/champion/luma"
    assert (raised.value, raised.threshold, raised.samples) == (0.4, 0.2, 200)
    assert raised.summary == (
        "luma has drifted from its reference in 3 windows in a row of 1m "
        "(PSI 0.4 against 0.2) for centerface v1.0.0 (production, champion)."
    )


def test_drift_resolves_after_as_much_time_without_it(fold: AlertFold) -> None:
    clean = [drift(end_s, 0) for end_s in (240, 300, 360)]

    facts = story(fold, set_policy(), *(drift(60 * n, n) for n in (1, 2, 3)), *clean)

    assert told(facts) == [("Raised", 180), ("Resolved", 360)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.RECOVERED


def test_drift_that_comes_back_in_between_keeps_its_alert(fold: AlertFold) -> None:
    facts = story(
        fold,
        set_policy(),
        *(drift(60 * n, n) for n in (1, 2, 3)),
        drift(240, 0),
        drift(300, 1),
        drift(360, 0),
        drift(420, 0),
        drift(480, 0),
    )

    assert told(facts) == [("Raised", 180), ("Updated", 300), ("Resolved", 480)]


def test_without_a_policy_the_default_one_holds(fold: AlertFold) -> None:
    facts = story(fold, drift(60, 2), drift(120, 3), change(120))

    assert [(fact.rule, fact.occurred_at) for fact in facts] == [
        ("DRIFT", 120 * S),
        ("CHANGE_POINT", 120 * S),
    ]


def test_a_policy_that_is_switched_off_resolves_at_the_next_decision(fold: AlertFold) -> None:
    facts = story(
        fold,
        set_policy(),
        drift(60, 3),
        decided(60),
        set_policy(at_s=65, enabled=False),
        decided(70),
    )

    assert told(facts) == [("Raised", 60), ("Resolved", 70)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.RULE_REMOVED


def test_drift_that_is_measured_behind_the_decision_resolves_at_the_same_cut(
    fold: AlertFold,
) -> None:
    # given the log above, with drift measured later
    facts = story(
        fold,
        set_policy(),
        decided(60),
        set_policy(at_s=65, enabled=False),
        decided(70),
        drift(60, 3),
    )

    assert told(facts) == [("Raised", 60), ("Resolved", 70)]


def test_features_that_the_policy_does_not_name_raise_nothing(fold: AlertFold) -> None:
    assert story(fold, set_policy(features=("faces",)), drift(60, 3)) == []


def test_what_is_measured_again_changes_nothing(fold: AlertFold) -> None:
    again = [drift(60, 3), *(drift(60 + 60 * n, 0) for n in range(1, 4))]

    facts = story(fold, set_policy(), *again, *again)

    assert told(facts) == [("Raised", 60), ("Resolved", 240)]


def test_a_change_for_the_worse_is_raised_and_settles_after_an_hour(fold: AlertFold) -> None:
    facts = story(
        fold, set_policy(), change(60), decided(60), decided(3650), decided(3660), decided(3670)
    )

    raised, resolved = facts
    assert isinstance(raised, AlertRaised)
    assert (raised.kind, raised.rule) == (AlertKind.CHANGE_POINT, "CHANGE_POINT")
    assert (raised.value, raised.threshold) == (0.7, 0.9)
    assert raised.summary == (
        "The mean of accuracy changed for the worse, from 0.9 to 0.7, "
        "for centerface v1.0.0 (production, champion)."
    )
    assert resolved.occurred_at == 3660 * S


def test_a_change_for_the_better_ends_it_and_raises_nothing_itself(fold: AlertFold) -> None:
    better = change(120, worse=False)

    assert told(story(fold, set_policy(), change(60), better)) == [
        ("Raised", 60),
        ("Resolved", 120),
    ]
    assert story(AlertFold(0), set_policy(), better) == []


def test_another_change_for_the_worse_keeps_it_open(fold: AlertFold) -> None:
    facts = story(
        fold, set_policy(), change(60), change(1800), decided(3660), decided(5390), decided(5400)
    )

    assert told(facts) == [("Raised", 60), ("Updated", 1800), ("Resolved", 5400)]


def test_metrics_that_are_not_watched_raise_nothing(fold: AlertFold) -> None:
    assert story(fold, set_policy(change_point_metrics=("error",)), change(60)) == []
