"""The life of an alert about missing data, which is another one than that of a threshold."""

from dataclasses import replace

import pytest

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.schemas.events import AlertKind, AlertRaised, AlertResolved, Fact, ResolveReason
from tests.unit.processors.alert_log import (
    NO_DATA_RULE,
    RULE,
    S,
    cut,
    decided,
    set_rules,
    story,
    told,
    window,
)


@pytest.fixture
def fold() -> AlertFold:
    return AlertFold(0)


def measured(
    end_s: int, value: float = 40.0, *lengths: str, metric: str = "latency_ms"
) -> list[Fact]:
    """A cut with measurements in these windows; in all by default."""
    chosen = lengths or ("10s", "1m", "5m", "1h")
    return cut(end_s, *(window(end_s, {metric: [value]}, length) for length in chosen))


def silent(*ends_s: int) -> list[Fact]:
    return [decided(end_s) for end_s in ends_s]


def test_a_series_that_stops_measuring_is_missing_once_its_window_is_empty(
    fold: AlertFold,
) -> None:
    # given a series that measured until 10 s: the minute up to 60 s still holds it
    in_the_minute = [measured(end_s, 40.0, "1m") for end_s in range(20, 70, 10)]

    facts = story(fold, set_rules(NO_DATA_RULE), measured(10), *in_the_minute, silent(70, 80, 90))

    (raised,) = facts
    assert isinstance(raised, AlertRaised)
    assert raised.kind is AlertKind.NO_DATA
    assert (raised.occurred_at, raised.value, raised.samples) == (70 * S, 0, 0)
    assert raised.subject == "v1.0.0/production/champion"
    assert raised.summary == "No measurement for 1m from centerface v1.0.0 (production, champion)."


def test_it_resolves_when_data_return(fold: AlertFold) -> None:
    facts = story(fold, set_rules(NO_DATA_RULE), measured(10), silent(20, 30), measured(40, 40.0))

    assert told(facts) == [("Raised", 20), ("Resolved", 40)]
    assert isinstance(facts[1], AlertResolved)
    assert facts[1].reason is ResolveReason.DATA_RETURNED
    assert facts[1].summary == (
        "There is a measurement again from centerface v1.0.0 (production, champion)."
    )


def test_missing_data_do_not_resolve_a_threshold(fold: AlertFold) -> None:
    facts = story(
        fold, set_rules(RULE, NO_DATA_RULE), measured(10, 90.0), silent(20), measured(30, 90.0)
    )

    assert [(fact.kind, fact.rule) for fact in facts] == [
        (AlertKind.THRESHOLD, "HIGH_LATENCY"),
        (AlertKind.NO_DATA, "SILENT"),
        (AlertKind.NO_DATA, "SILENT"),
    ]


def test_a_metric_can_be_missing_while_others_are_measured(fold: AlertFold) -> None:
    rule = replace(NO_DATA_RULE, metric="accuracy")

    facts = story(
        fold,
        set_rules(rule),
        measured(10, metric="accuracy"),
        measured(20),
        measured(30, metric="accuracy"),
    )

    assert told(facts) == [("Raised", 20), ("Resolved", 30)]
    assert facts[0].summary.startswith("No value of accuracy for 1m")


def test_a_series_that_was_never_seen_is_not_missing(fold: AlertFold) -> None:
    assert story(fold, set_rules(NO_DATA_RULE), silent(10, 20, 30)) == []


def test_a_rule_that_is_set_while_a_series_is_silent_finds_it(fold: AlertFold) -> None:
    facts = story(
        fold, measured(10), silent(20, 600), set_rules(NO_DATA_RULE, at_s=605), silent(610)
    )

    assert told(facts) == [("Raised", 610)]


def test_a_series_that_was_silent_for_long_is_forgotten(fold: AlertFold) -> None:
    minutes = silent(*range(600, 6000, 600))

    facts = story(fold, measured(10), minutes, set_rules(NO_DATA_RULE, at_s=5405), silent(5410))

    assert facts == []


def test_an_open_alert_outlives_that_its_series_is_forgotten(fold: AlertFold) -> None:
    facts = story(
        fold, set_rules(NO_DATA_RULE), measured(10), silent(*range(600, 9000, 600)), measured(9000)
    )

    assert told(facts) == [("Raised", 600), ("Resolved", 9000)]


def test_an_hour_without_data_is_found_when_hours_are_decided(fold: AlertFold) -> None:
    rule = replace(NO_DATA_RULE, window="1h")
    hours = [measured(end_s, 40.0, "1h") for end_s in range(300, 3900, 300)]

    # neither a cut between two hours' ends, nor one whose hour still holds something
    facts = story(fold, set_rules(rule), measured(10), *hours, silent(3610, 3900, 4200))

    assert told(facts) == [("Raised", 3900)]


def test_silence_may_have_to_last(fold: AlertFold) -> None:
    rule = replace(NO_DATA_RULE, for_s=20.0)

    facts = story(fold, set_rules(rule), measured(10), silent(20), measured(30), silent(40, 50, 60))

    assert told(facts) == [("Pending", 20), ("Resolved", 30), ("Pending", 40), ("Raised", 60)]
