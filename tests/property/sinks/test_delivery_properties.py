"""Deliveries survive every outage and crash: nothing lost or reordered, repeats only as repeats."""

from collections.abc import Iterator, Sequence

import hypothesis.strategies as st
from hypothesis import given

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    Fact,
)
from modeltrail.sinks.delivery.backoff import FIRST_S, backoff_s
from modeltrail.sinks.delivery.fold import DeliveryFold, Policy, Step
from modeltrail.sinks.delivery.lane import Lane, Start
from tests.alert_facts import acknowledged, at_us, log_of, silenced, step

RULES = {name: ("HIGH_LATENCY", "LOW_ACCURACY")[index % 2] for index, name in enumerate("abcd")}
names = st.sampled_from(sorted(RULES))
kinds = st.sampled_from([AlertPending, AlertRaised, AlertUpdated, AlertResolved])
steps = st.builds(lambda kind, name: step(kind, name, rule=RULES[name]), kinds, names)
silences = st.builds(
    lambda start, length, rule: silenced(start, start + length, rule=rule),
    st.integers(0, 20),
    st.integers(1, 8),
    st.sampled_from(["", "HIGH_LATENCY", "LOW_ACCURACY"]),
)
facts: st.SearchStrategy[Fact] = st.one_of(steps, steps, steps, silences, names.map(acknowledged))
policies = st.builds(Policy, st.booleans(), st.booleans(), st.booleans())


@st.composite
def logs(draw: st.DrawFn) -> Sequence[Appended]:
    """Up to 20 facts a second apart or closer."""
    gaps = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=1, max_size=20))
    placed, at = [], 0.0
    for gap in gaps:
        at += gap
        placed.append((at, draw(facts)))
    return log_of(placed)


END_US = at_us(1000)


def undisturbed(log: Sequence[Appended], policy: Policy) -> list[Step]:
    """What a destination is told that takes everything at once."""
    fold = DeliveryFold(policy)
    told = [each for record in log for each in fold.absorb(record)]
    return [*told, *fold.due(END_US)]


@given(log=logs(), policy=policies, answers=st.lists(st.sampled_from("tfck"), max_size=60))
def test_outages_and_crashes_lose_nothing_and_repeat_only_the_same_step(
    log: Sequence[Appended], policy: Policy, answers: Sequence[str]
) -> None:
    """`t`: taken, `f`: not taken, `c`: taken and the worker is killed, `k`: killed before."""
    heard: list[Step] = []
    committed, script = 0, iter(answers)
    lane = Lane(policy, Start(committed), first_offset=0)
    for appended, now_us in moments(log):
        lane.offer(appended[-1].offset, appended[-1])
        while (at := lane.next_step(now_us)) is not None:
            committed = lane.done or committed
            answer = next(script, "t")
            if answer == "f":
                lane.was_not_taken()
                continue
            if answer != "k":
                heard.append(at)
            if answer in "ck":
                lane = Lane(policy, Start(committed), first_offset=0)
                for record in appended:
                    lane.offer(record.offset, record)
                continue
            lane.was_taken()
        committed = lane.done or committed

    assert committed == len(log)
    assert without_repeats(heard) == without_repeats(undisturbed(log, policy))


def moments(log: Sequence[Appended]) -> Iterator[tuple[Sequence[Appended], int]]:
    """What the log holds and the time, just after each record; and long after the last."""
    for count, record in enumerate(log, start=1):
        yield log[:count], record.appended_ms * 1000
    yield log, END_US


def without_repeats(told: Sequence[Step]) -> list[AlertState]:
    """The steps in the order in which each was heard first, and who looked after the alert."""
    return [
        each.alert
        for each in {(each.alert.event_id, each.acknowledged_by): each for each in told}.values()
    ]


@given(log=logs(), policy=policies, cut=st.integers(0, 20))
def test_a_new_destination_is_told_what_is_open_and_then_all_that_follows(
    log: Sequence[Appended], policy: Policy, cut: int
) -> None:
    cut = min(cut, len(log))
    lane = Lane(policy, Start(cut, begins=True), first_offset=0)
    for record in log:
        lane.offer(record.offset, record)

    heard = []
    while (at := lane.next_step(END_US)) is not None:
        heard.append(at)
        lane.was_taken()

    fold = DeliveryFold(policy)
    told_before = [each for record in log[:cut] for each in fold.absorb(record)]
    beginning = list(fold.begin(END_US))
    assert {each.alert.alert_id for each in beginning} <= {
        each.alert.alert_id for each in told_before
    }
    assert not any(each.over for each in beginning)
    following = [each for record in log[cut:] for each in fold.absorb(record)]
    assert heard == beginning + following + list(fold.due(END_US))


@given(log=logs(), policy=policies)
def test_what_is_silenced_is_not_told_and_every_end_follows_a_beginning(
    log: Sequence[Appended], policy: Policy
) -> None:
    fold = DeliveryFold(policy)
    open_alerts: set[bytes] = set()
    for record in log:
        for each in fold.absorb(record):
            if isinstance(each.alert, AlertResolved):
                assert each.alert.alert_id in open_alerts
                open_alerts.discard(each.alert.alert_id)
            else:
                open_alerts.add(each.alert.alert_id)
    assert open_alerts >= {each.alert.alert_id for each in fold.begin(END_US)}


@given(
    failures=st.integers(1, 10_000),
    chance=st.floats(0, 1, exclude_max=True),
    longest_s=st.floats(0.5, 3600),
    asked_s=st.none() | st.floats(0, 1e9),
)
def test_the_back_off_grows_is_spread_and_never_exceeds_its_limit(
    failures: int, chance: float, longest_s: float, asked_s: float | None
) -> None:
    wait = backoff_s(failures, chance, longest_s, asked_s)

    assert min(longest_s, FIRST_S) / 2 <= wait <= longest_s
    assert wait >= min(asked_s or 0.0, longest_s)
    assert wait <= backoff_s(failures + 1, chance, longest_s, asked_s)
    assert backoff_s(failures, 0.0, longest_s) <= backoff_s(failures, chance, longest_s)
