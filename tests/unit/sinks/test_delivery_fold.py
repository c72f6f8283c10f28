"""Which steps of alerts a destination is told: none while silenced, none twice, none lost."""

from collections.abc import Sequence

import pytest

from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertSilenced,
    AlertUpdated,
    Fact,
    ResolveReason,
)
from modeltrail.sinks.delivery.fold import DeliveryFold, Policy, Step
from tests.alert_facts import SUBJECT, acknowledged, at_us, log_of, silenced, step


def told(facts: Sequence[tuple[float, Fact]], policy: Policy | None = None) -> list[list[str]]:
    """What each fact makes a destination hear."""
    fold = DeliveryFold(policy or Policy())
    return [[heard(each) for each in fold.absorb(record)] for record in log_of(facts)]


def heard(step: Step) -> str:
    return type(step.alert).__name__.removeprefix("Alert").lower()


def test_an_alert_is_told_when_raised_updated_and_resolved_but_not_while_pending() -> None:
    assert told(
        [
            (0, step(AlertPending)),
            (1, step(AlertRaised)),
            (2, step(AlertUpdated)),
            (3, step(AlertResolved)),
        ]
    ) == [[], ["raised"], ["updated"], ["resolved"]]


def test_an_alert_that_is_cleared_while_pending_is_never_heard_of() -> None:
    cleared = step(AlertResolved, reason=ResolveReason.CLEARED_WHILE_PENDING)

    assert told([(0, step(AlertPending)), (1, cleared)]) == [[], []]


def test_pending_alerts_are_told_with_their_end_where_that_is_asked_for() -> None:
    policy = Policy(pending=True)

    assert told([(0, step(AlertPending)), (1, step(AlertResolved))], policy) == [
        ["pending"],
        ["resolved"],
    ]


def test_updates_can_be_left_out() -> None:
    facts = [(0, step(AlertRaised)), (1, step(AlertUpdated)), (2, step(AlertResolved))]

    assert told(facts, Policy(updates=False)) == [["raised"], [], ["resolved"]]


def test_an_update_of_an_alert_whose_beginning_is_unknown_is_told_all_the_same() -> None:
    facts = [(0, step(AlertUpdated)), (1, step(AlertUpdated))]

    assert told(facts, Policy(updates=False)) == [["updated"], []]


def test_an_acknowledged_alert_is_told_again_only_when_it_is_over() -> None:
    facts = [
        (0, step(AlertRaised)),
        (1, acknowledged()),
        (2, step(AlertUpdated)),
        (3, step(AlertResolved)),
    ]

    assert told(facts) == [["raised"], [], [], ["resolved"]]


def test_steps_that_come_again_or_too_late_change_nothing() -> None:
    raised, updated, resolved = step(AlertRaised), step(AlertUpdated), step(AlertResolved)
    facts = [(0, raised), (1, updated), (0, raised), (1, updated), (2, resolved)]

    assert told([*facts, (0, raised), (1, updated), (2, resolved)]) == [
        *(["raised"], ["updated"], [], [], ["resolved"]),
        *([], [], []),
    ]


def test_a_destination_that_forgets_is_told_who_looks_after_an_alert() -> None:
    fold = DeliveryFold(Policy(acknowledgements=True))
    raised, seen = log_of([(0, step(AlertRaised)), (1, acknowledged(by="mina"))])
    fold.absorb(raised)

    (again,) = fold.absorb(seen)

    assert (heard(again), again.acknowledged_by) == ("raised", "mina")
    assert fold.open_at(at_us(2)) == ()


@pytest.mark.parametrize(
    ("silence", "silent"),
    [
        (silenced(0, 10), True),
        (silenced(0, 10, rule="HIGH_LATENCY", subject=SUBJECT), True),
        (silenced(0, 10, rule="LOW_ACCURACY"), False),
        (silenced(0, 10, subject="v2.0.0/production/champion"), False),
        (silenced(0, 10, model="other"), False),
        (silenced(6, 10), False),
        (silenced(0, 5), False),
        (silenced(5, 6), True),
    ],
)
def test_a_silence_is_for_its_model_rule_subject_and_time(
    silence: AlertSilenced, silent: bool
) -> None:
    assert told([(0, silence), (5, step(AlertRaised))])[1] == ([] if silent else ["raised"])


def test_an_alert_that_is_still_open_when_its_silence_ends_is_told_once_with_its_newest_step() -> (
    None
):
    facts = [(0, silenced(0, 10)), (1, step(AlertRaised)), (2, step(AlertUpdated))]
    fold = DeliveryFold(Policy())
    for record in log_of(facts):
        assert fold.absorb(record) == ()

    assert fold.due(at_us(9.9)) == ()
    assert [heard(each) for each in fold.due(at_us(10))] == ["updated"]
    assert fold.due(at_us(11)) == ()


def test_an_alert_that_began_and_ended_in_a_silence_is_never_heard_of() -> None:
    fold = DeliveryFold(Policy())
    facts = [(0, silenced(0, 10)), (1, step(AlertRaised)), (2, step(AlertResolved))]
    for record in log_of(facts):
        assert fold.absorb(record) == ()

    assert fold.due(at_us(10)) == ()


def test_the_end_of_an_alert_that_was_told_before_the_silence_is_told_after_it() -> None:
    fold = DeliveryFold(Policy())
    facts = [(0, step(AlertRaised)), (1, silenced(1, 10)), (2, step(AlertResolved))]
    assert [len(fold.absorb(record)) for record in log_of(facts)] == [1, 0, 0]

    assert [heard(each) for each in fold.due(at_us(10))] == ["resolved"]
    assert fold.due(at_us(11)) == ()


def test_what_a_silence_held_back_comes_before_the_step_that_follows_it() -> None:
    facts = [(0, silenced(0, 10)), (1, step(AlertRaised)), (12, step(AlertResolved))]

    assert told(facts) == [[], [], ["raised", "resolved"]]


def test_open_alerts_are_those_that_were_told_and_not_ended_silenced_or_acknowledged() -> None:
    fold = DeliveryFold(Policy(acknowledgements=True))
    facts = [
        (0, step(AlertPending, "pending")),
        (1, step(AlertRaised, "open")),
        (2, step(AlertRaised, "over")),
        (3, step(AlertResolved, "over")),
        (4, step(AlertRaised, "seen to")),
        (5, acknowledged("seen to")),
        (6, step(AlertRaised, "silenced", rule="OTHER")),
        (7, silenced(7, 100, rule="OTHER")),
    ]
    for record in log_of(facts):
        fold.absorb(record)

    assert [each.offset for each in fold.open_at(at_us(50))] == [1]
    assert [each.offset for each in fold.open_at(at_us(100))] == [1, 6]


def test_a_new_destination_is_told_of_open_alerts_but_not_of_silenced_ones_or_those_over() -> None:
    fold = DeliveryFold(Policy())
    facts = [
        (0, step(AlertRaised, "open")),
        (1, step(AlertRaised, "quiet", rule="OTHER")),
        (2, step(AlertRaised, "ended in silence", rule="OTHER")),
        (3, silenced(3, 100, rule="OTHER")),
        (4, step(AlertResolved, "ended in silence", rule="OTHER")),
    ]
    for record in log_of(facts):
        fold.absorb(record)

    assert [each.offset for each in fold.begin(at_us(50))] == [0]
    assert [each.offset for each in fold.due(at_us(100))] == [1]
