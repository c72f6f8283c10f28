"""However partials come, windows hold what their definitions say, and are decided once."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.windows.merge import MergeFold
from modeltrail.schemas.columns import doubles, longs
from modeltrail.schemas.events import (
    Fact,
    PartialWindow,
    PartitionAdvanced,
    RecentMeasured,
    RecentMetric,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import derived_event_id
from tests import stage_one
from tests.many_series import put_together
from tests.stage_one import LENGTHS_S, START_S, Measured, appended, published, series

SOURCES = 3
NAMES = tuple(map(series, ("centerface", "light", "other")))
VALUES = st.sampled_from([0.0, -1.5, 0.1, 1.0, 2.0, 7.25, 40.0, 40.2, 41.0, 1e9])


@st.composite
def measurements(draw: st.DrawFn, most: int = 40, span_s: int = 400) -> list[Measured]:
    """Measurements of a few series in every source partition, some of them late in their bucket."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, SOURCES - 1),
                st.sampled_from(NAMES),
                st.integers(0, span_s * 4),
                st.sampled_from([-10_000, -200, 0, 1, 200, 3_000, 9_000, 10_000]),
                st.dictionaries(st.sampled_from(["latency_ms", "faces"]), VALUES, max_size=2),
            ),
            max_size=most,
        )
    )
    # Quarters of a second, so that ties and the very edges of buckets and cuts are common.
    rows = sorted(
        (START_S * 1000 + quarters * 250, source, name, delay_ms, values)
        for source, name, quarters, delay_ms, values in [
            (source, name, quarters, delay, tuple(values.items()))
            for source, name, quarters, delay, values in drawn
        ]
    )
    return [
        Measured(source, offset, name, (appended_ms - delay_ms) * 1000, appended_ms, dict(values))
        for offset, (appended_ms, source, name, delay_ms, values) in enumerate(rows)
    ]


def cuts(span_s: int) -> range:
    return range(START_S - 10, START_S + span_s + 30, 10)


def interleaved(by_source: Sequence[Iterable[Fact]], order: random.Random) -> list[Fact]:
    """One log of what the sources publish, each in its own order."""
    queues = [list(facts)[::-1] for facts in by_source]
    log = []
    while left := [queue for queue in queues if queue]:
        log.append(order.choice(left).pop())
    return log


def decided(log: Iterable[Fact]) -> list[Fact]:
    return decided_one_by_one(put_together(log))


def decided_one_by_one(log: Iterable[Fact]) -> list[Fact]:
    fold = MergeFold(0)
    return [fact for record in appended(log) for fact in fold.absorb(record)]


def log_of(found: Sequence[Measured], ends_s: Iterable[int]) -> list[Fact]:
    """The sources take turns, cut by cut."""
    by_source = [published(found, source, SOURCES, ends_s) for source in range(SOURCES)]
    return [fact for cut in zip(*by_source, strict=True) for facts in cut for fact in facts]


@given(measurements())
@settings(max_examples=25, deadline=None)
def test_windows_hold_what_their_definitions_say(found: list[Measured]) -> None:
    facts = decided(log_of(found, cuts(400)))

    closed = {
        (each.window, each.end, each.final, *stage_one_series(each)): (
            each.measurements,
            each.metrics,
        )
        for each in facts
        if isinstance(each, WindowClosed)
    }
    assert len(closed) + len(cuts(400)) == len(facts)
    assert closed == {
        (window, end_s * 1_000_000, final, *name): content
        for end_s in cuts(400)
        for window, final, name, content in windows_at(found, end_s)
    }


def windows_at(
    found: Sequence[Measured], end_s: int
) -> Iterable[tuple[str, bool, stage_one.Series, stage_one.Content]]:
    for name, content in stage_one.expected(found, "last_1000", end_s, final=False).items():
        yield "last_1000", False, name, content
    for window, (_, hop_s) in LENGTHS_S.items():
        if end_s % hop_s:
            continue
        first = stage_one.expected(found, window, end_s, final=False)
        for name, content in first.items():
            yield window, False, name, content
        if end_s == cuts(400)[-1]:
            continue
        for name, content in stage_one.expected(found, window, end_s, final=True).items():
            if content != first.get(name):
                yield window, True, name, content


def stage_one_series(closed: WindowClosed) -> stage_one.Series:
    return (closed.model_id, closed.version, closed.environment, closed.arm)


@given(measurements(), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_neither_interleaving_nor_distance_nor_repetition_changes_what_is_decided(
    found: list[Measured], seed: int
) -> None:
    # given what the sources publish, one after another cut by cut
    once = log_of(found, cuts(400))
    order = random.Random(seed)
    # when they run ahead of each other, and each goes back to an earlier cut now and then
    repeating = []
    for source in range(SOURCES):
        steps = published(found, source, SOURCES, cuts(400))
        at, facts = 0, []
        while at < len(steps):
            facts += steps[at]
            at = max(0, at - order.randint(0, 5)) if order.random() < 0.1 else at + 1
        repeating.append(facts)
    # then the same facts are decided, in the same order
    assert decided(interleaved(repeating, order)) == decided(once)


@given(measurements())
@settings(max_examples=25, deadline=None)
def test_facts_of_one_series_each_say_what_one_of_many_says(found: list[Measured]) -> None:
    log = log_of(found, cuts(400))
    assert decided_one_by_one(log) == decided_one_by_one(put_together(log))


@given(measurements(), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_newest_measurements_may_be_told_in_parts_and_twice(
    found: list[Measured], seed: int
) -> None:
    order = random.Random(seed)
    in_parts: list[Fact] = []
    for fact in log_of(found, cuts(400)):
        if not isinstance(fact, RecentMeasured) or len(fact.offsets) < 2:
            in_parts.append(fact)
            continue
        middle = order.randint(1, len(fact.offsets) - 1)
        parts = [part_of(fact, 0, middle), part_of(fact, middle, len(fact.offsets))]
        in_parts += parts if order.random() < 0.5 else order.sample([*parts, fact], 3)

    assert decided(in_parts) == decided(log_of(found, cuts(400)))


def part_of(recent: RecentMeasured, low: int, high: int) -> RecentMeasured:
    """The measurements from the `low`th up to the `high`th."""
    return replace(
        recent,
        event_id=derived_event_id(recent.event_id, low, high),
        appended_ms=longs(recent.appended_ms[low:high]),
        offsets=longs(recent.offsets[low:high]),
        metrics=tuple(
            RecentMetric(each.name, doubles(each.values[low:high])) for each in recent.metrics
        ),
    )


@given(measurements(most=25, span_s=3 * 3600), st.integers(0, 400), st.data())
@settings(max_examples=12, deadline=None)
def test_a_fold_that_starts_seventy_minutes_earlier_decides_the_same(
    found: list[Measured], start: int, data: st.DataObject
) -> None:
    # given three hours of which parts are silent, and sources that leave cuts of silence out
    ends_s = cuts(3 * 3600)
    by_source = []
    for source in range(SOURCES):
        busy = published(found, source, SOURCES, ends_s)
        skipped = data.draw(st.integers(1, 200))
        by_source.append(
            [facts for at, facts in enumerate(busy) if len(facts) > 1 or at % skipped == 0]
        )
    log = interleaved_by_cut(by_source)
    # when a fold starts anywhere in that log, between two cuts
    first = ends_s[start]
    later = decided(fact for fact in log if cut_of(fact) >= first)
    # then from seventy minutes on it decides what the one that saw everything does
    since = (first + 70 * 60) * 1_000_000
    assert after(later, since) == after(decided(log), since)


def interleaved_by_cut(by_source: Sequence[Sequence[Sequence[Fact]]]) -> list[Fact]:
    steps = sorted(chain.from_iterable(by_source), key=lambda facts: cut_of(facts[-1]))
    return list(chain.from_iterable(steps))


def cut_of(fact: Fact) -> int:
    """The end of the bucket that a fact of stage 1 is published with."""
    if isinstance(fact, PartialWindow):
        return fact.end // 1_000_000 + (10 if fact.final else 0)
    assert isinstance(fact, RecentMeasured | PartitionAdvanced)
    return fact.advanced_to // 1_000_000 - 1


def after(facts: Iterable[Fact], time_us: int) -> list[Fact]:
    kept: list[Fact] = []
    for fact in facts:
        assert isinstance(fact, WindowClosed | WindowsDecided)
        decided_with = fact.end + (10_000_000 if getattr(fact, "final", False) else 0)
        if decided_with >= time_us:
            kept.append(fact)
    return kept
