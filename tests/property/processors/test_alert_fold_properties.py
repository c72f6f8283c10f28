"""Restarts, interleavings and duplicates change neither which alerts there are nor their lives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.processors.alerting.sightings import KNOWN_FOR_US
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    Direction,
    Fact,
    Statistic,
    ThresholdRule,
    ValueBreached,
    WindowsDecided,
)
from tests.unit.processors.alert_log import (
    NO_DATA_RULE,
    RULE,
    VALUE_RULE,
    S,
    absorb,
    breach,
    change,
    decided,
    drift,
    set_policy,
    set_rules,
    window,
)

RULES: tuple[ThresholdRule, ...] = (
    replace(RULE, name="MEAN", resolve_threshold=40.0, minimum_samples=2),
    replace(RULE, name="LASTING", statistic=Statistic.P95, window="1m", for_s=20.0),
    replace(VALUE_RULE, name="VALUE", resolve_threshold=45.0),
    replace(NO_DATA_RULE, name="SILENT"),
    replace(
        RULE,
        name="PARITY",
        statistic=Statistic.PARITY_RATIO,
        direction=Direction.BELOW,
        threshold=0.8,
        resolve_threshold=0.9,
    ),
    replace(NO_DATA_RULE, name="NO_LATENCY", metric="latency_ms", window="10s", for_s=10.0),
)
VERSIONS = ("v1.0.0", "v2.0.0")
LETTERS = {AlertPending: "P", AlertRaised: "R", AlertUpdated: "U", AlertResolved: "X"}
VALUES = st.sampled_from((30.0, 42.0, 48.0, 55.0, 90.0))


@dataclass(frozen=True)
class Written:
    """A log of windows and the rules beside it; `cuts` hold what comes before each decision."""

    control: tuple[Appended, ...]
    cuts: tuple[tuple[int, tuple[Fact, ...], tuple[Fact, ...]], ...]

    def records(self) -> list[Fact]:
        """The windows partition."""
        return [
            fact for end_s, before, after in self.cuts for fact in (*before, decided(end_s), *after)
        ]


@st.composite
def logs(draw: st.DrawFn) -> Written:
    steps = draw(st.lists(st.sampled_from((10, 10, 10, 60, 1200)), min_size=4, max_size=40))
    end_s, streak, cuts, control = 0, 0, [], [set_rules(*RULES), set_policy(persistence=2)]
    for step in steps:
        end_s += step
        before: list[Fact] = []
        for version in VERSIONS:
            values = draw(st.lists(VALUES, max_size=3))
            if values:
                held = {draw(st.sampled_from(("latency_ms", "latency_ms", "fps"))): values}
                for group in draw(st.sampled_from(((), (), ("a",), ("a", "b")))):
                    held[f"latency_ms@{group}"] = [draw(VALUES)]
                before += [window(end_s, held, each, version=version) for each in ("10s", "1m")]
        # Up to twenty seconds ahead of the decision, as of a partition that is faster.
        for after_s in draw(st.lists(st.integers(1, 30), max_size=3, unique=True)):
            value = draw(st.sampled_from((48.0, 90.0)))
            before.append(breach(end_s - 9 + after_s, value, source=after_s % 3, rule="VALUE"))
        after: list[Fact] = []
        if end_s % 60 == 0:
            streak = draw(st.sampled_from((0, streak + 1)))
            after.append(drift(end_s, streak, psi=draw(st.sampled_from((0.3, 0.5)))))
        if draw(st.integers(0, 5)) == 0:
            after.append(change(end_s, worse=draw(st.booleans())))
        if draw(st.integers(0, 5)) == 0:
            kept = draw(st.sets(st.sampled_from(RULES)))
            control.append(set_rules(*sorted(kept, key=str), at_s=end_s + 3))
        cuts.append((end_s, tuple(before), tuple(after)))
    return Written(tuple(control), tuple(cuts))


def known_as(facts: Sequence[AlertState]) -> list[tuple[object, ...]]:
    """The identity and life of alerts, without what tells which breach was seen first."""
    return sorted(
        (fact.event_id, type(fact).__name__, fact.alert_id, fact.opened_at, fact.occurred_at)
        for fact in facts
    )


@settings(deadline=None)
@given(logs(), st.data())
def test_a_restart_anywhere_gives_the_facts_of_an_uninterrupted_run(
    log: Written, data: st.DataObject
) -> None:
    # given an uninterrupted run
    records = log.records()
    expected = absorb(AlertFold(0), *log.control, *records)

    # when a worker dies after publishing some facts, and another begins at an earlier decision
    published = expected[: data.draw(st.integers(0, len(expected)))]
    begins = data.draw(st.sampled_from(starts(records, published)))
    fold = AlertFold(0)
    restored = absorb(fold, *log.control, *published, records[begins])
    resumed = restored + absorb(fold, *records[begins + 1 :])

    # then only what was missing is added, as it would have been
    ids = {fact.event_id for fact in published}
    assert [fact for fact in resumed if fact.event_id not in ids] == expected[len(published) :]


def starts(records: Sequence[Fact], published: Sequence[AlertState]) -> list[int]:
    """Where a replay may begin: early enough for all that was not published, or at the start."""
    newest = max((fact.occurred_at for fact in published), default=0)
    found = [
        index
        for index, fact in enumerate(records)
        if isinstance(fact, WindowsDecided) and fact.end <= newest - KNOWN_FOR_US
    ]
    return found or [0]


@settings(deadline=None)
@given(logs(), st.data())
def test_order_within_a_cut_and_duplicates_change_no_alert(
    log: Written, data: st.DataObject
) -> None:
    expected = absorb(AlertFold(0), *log.control, *log.records())

    # given the same log with windows and breaches in another order, and anything twice
    shuffled: list[Fact] = []
    for end_s, before, after in log.cuts:
        shuffled += data.draw(st.permutations(before))
        shuffled += [decided(end_s), *after]
        shuffled += data.draw(st.lists(st.sampled_from(shuffled), max_size=3))

    assert known_as(absorb(AlertFold(0), *log.control, *shuffled)) == known_as(expected)


@settings(deadline=None)
@given(logs(), st.data())
def test_breaches_that_come_early_open_the_same_alerts(log: Written, data: st.DataObject) -> None:
    expected = absorb(AlertFold(0), *log.control, *log.records())

    # given that partitions are ahead of the decisions by any number of cuts
    records = log.records()
    for record in [each for each in records if isinstance(each, ValueBreached)]:
        at = records.index(record)
        records.insert(data.draw(st.integers(0, at)), records.pop(at))

    assert known_as(absorb(AlertFold(0), *log.control, *records)) == known_as(expected)


@settings(deadline=None)
@given(logs())
def test_rules_may_come_at_the_last_moment_or_all_at_once(log: Written) -> None:
    early = absorb(AlertFold(0), *log.control, *log.records())

    fold, late = AlertFold(0), []
    waiting = list(log.control)
    for record in log.records():
        until = record.end if isinstance(record, WindowsDecided) else 0
        until = record.appended_at if isinstance(record, ValueBreached) else until
        while waiting and waiting[0].appended_ms * 1000 <= until:
            absorb(fold, waiting.pop(0))
        late += absorb(fold, record)

    assert late == early


@settings(deadline=None)
@given(logs())
def test_every_alert_lives_once_and_in_order(log: Written) -> None:
    facts = absorb(AlertFold(0), *log.control, *log.records())

    assert len({fact.event_id for fact in facts}) == len(facts)
    lives: dict[bytes, list[AlertState]] = {}
    for fact in facts:
        lives.setdefault(fact.alert_id, []).append(fact)
    for life in lives.values():
        assert re.fullmatch("PX?|P?RU*X?", "".join(LETTERS[type(fact)] for fact in life))
        assert [fact.occurred_at for fact in life] == sorted(fact.occurred_at for fact in life)
        assert len({(fact.subject, fact.rule, fact.opened_at) for fact in life}) == 1
        going_on = [fact.occurred_at for fact in life if not isinstance(fact, AlertResolved)]
        gaps = [later - earlier for earlier, later in pairwise(going_on)]
        assert all(gap >= 60 * S for gap in gaps[isinstance(life[0], AlertPending) :])
    open_at_once: set[tuple[str, str]] = set()
    for fact in facts:
        about = (fact.rule, fact.subject)
        if isinstance(fact, AlertResolved):
            open_at_once.remove(about)
        elif fact is lives[fact.alert_id][0]:
            assert about not in open_at_once
            open_at_once.add(about)
