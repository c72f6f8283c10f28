"""Windows are decided when all partitions have advanced, stepwise, and silence costs nothing."""

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from modeltrail.processors.windows.merge import MergeFold
from modeltrail.schemas.events import Fact, WindowClosed, WindowsDecided
from tests.many_series import put_together
from tests.stage_one import (
    START_S,
    Measured,
    advanced,
    appended,
    partial_of,
    published,
    recent_of,
    series,
)

HOUR_S = 3600
MODEL = series("centerface")


def measured(after_s: float, value: float = 40.0, source: int = 0, delay_s: float = 0) -> Measured:
    """Appended `after_s` seconds after the start, captured `delay_s` before that."""
    at_ms = START_S * 1000 + int(after_s * 1000)
    captured_us = (at_ms - int(delay_s * 1000)) * 1000
    return Measured(source, int(after_s), MODEL, captured_us, at_ms, {"latency_ms": value})


def take(fold: MergeFold, facts: Iterable[Fact]) -> list[Fact]:
    return [fact for record in appended(put_together(facts)) for fact in fold.absorb(record)]


def steps(found: Sequence[Measured], ends_s: Iterable[int]) -> list[Fact]:
    """What a single source publishes."""
    return [fact for facts in published(found, 0, 1, ends_s) for fact in facts]


def ends(facts: Iterable[Fact]) -> list[int]:
    """Which cuts were decided: the ends of their buckets, in seconds after the start."""
    return [fact.end // 1_000_000 - START_S for fact in facts if isinstance(fact, WindowsDecided)]


def counts(facts: Iterable[Fact], window: str, *, final: bool = False) -> dict[int, int]:
    """End, in seconds after the start, to the measurements of a window."""
    return {
        fact.end // 1_000_000 - START_S: fact.measurements
        for fact in facts
        if isinstance(fact, WindowClosed) and (fact.window, fact.final) == (window, final)
    }


def test_a_cut_is_decided_once_every_source_partition_has_advanced_to_it() -> None:
    fold = MergeFold(0)
    first, second = (published([measured(3, source=s)], s, 2, [START_S + 10]) for s in range(2))

    assert take(fold, first[0]) == []
    facts = take(fold, second[0])

    assert counts(facts, "10s") == {10: 2}
    assert ends(facts) == [10]
    assert isinstance(facts[-1], WindowsDecided)


def test_a_partial_is_replaced_by_a_newer_one_until_its_cut_is_decided() -> None:
    fold = MergeFold(0)
    many = [measured(1), measured(2), measured(3)]
    older, newer = (partial_of(MODEL, 0, START_S + 10, False, found) for found in (many, many[:2]))

    facts = take(fold, [older, newer, advanced(0, 1, START_S + 10), older])
    later = take(fold, [advanced(0, 1, START_S + 20)])

    assert counts(facts, "10s") == {10: 2}
    assert counts(later, "1m") == {20: 2}


def test_late_events_give_final_windows_at_the_next_cut_and_are_in_later_ones() -> None:
    # given a measurement that is appended 8 s after its capture, past the cut of its bucket
    found = [measured(292), measured(305, delay_s=8)]

    facts = take(MergeFold(0), steps(found, range(START_S + 300, START_S + 370, 10)))

    for window in ("10s", "1m", "5m", "1h"):
        assert counts(facts, window)[300] == 1
        assert counts(facts, window, final=True) == {300: 2}
    assert counts(facts, "1m")[310] == counts(facts, "5m")[360] == 2
    # and they come with the cut after it, before the windows of that one
    (after,) = (at for at, fact in enumerate(facts) if ends([fact]) == [300])
    finals = [at for at, fact in enumerate(facts) if isinstance(fact, WindowClosed) and fact.final]
    assert finals == list(range(after + 1, after + 5))


def test_a_final_partial_that_says_nothing_new_closes_nothing_again() -> None:
    decided = partial_of(MODEL, 0, START_S + 10, False, [measured(1)])
    facts = take(
        MergeFold(0),
        [
            decided,
            advanced(0, 1, START_S + 10),
            replace(decided, final=True),
            advanced(0, 1, START_S + 20),
        ],
    )
    assert counts(facts, "10s", final=True) == {}


def test_what_came_only_late_has_a_final_window_alone() -> None:
    facts = take(
        MergeFold(0), steps([measured(15, delay_s=8)], range(START_S + 10, START_S + 30, 10))
    )
    assert counts(facts, "10s") == {}
    assert counts(facts, "10s", final=True) == {10: 1}
    assert counts(facts, "1m") == {20: 1}


def test_truth_without_measurements_makes_windows_of_no_measurements() -> None:
    truth = partial_of(MODEL, 0, START_S + 10, False, [measured(1)])
    facts = take(
        MergeFold(0),
        [replace(truth, measurements=0), advanced(0, 1, START_S + 10)],
    )
    assert counts(facts, "1m") == {10: 0}


def test_the_newest_thousand_are_taken_from_all_partitions_by_append_time() -> None:
    # given 700 measurements in each of two partitions, those of the second a bit later
    found = [
        measured(1 + number / 1000 + source / 2000, float(source), source)
        for source in range(2)
        for number in range(700)
    ]
    found = [replace(each, offset=offset) for offset, each in enumerate(found)]
    end_s = START_S + 10

    facts = take(
        MergeFold(0),
        [
            recent_of(MODEL, 0, end_s, found[:700]),
            recent_of(MODEL, 1, end_s, found[700:]),
            advanced(0, 2, end_s),
            advanced(1, 2, end_s),
        ],
    )

    (window,) = (fact for fact in facts if isinstance(fact, WindowClosed))
    assert (window.window, window.measurements, window.final) == ("last_1000", 1000, False)
    assert window.metrics[0].sum_whole == 500
    newest = sorted((each.appended_ms, each.source, each.offset) for each in found)[-1000:]
    assert window.start == newest[0][0] * 1000
    assert window.end == end_s * 1_000_000


def test_a_measurement_leaves_the_newest_thousand_an_hour_after_its_append() -> None:
    facts = take(MergeFold(0), steps([measured(5)], range(START_S, START_S + HOUR_S + 30, 10)))
    assert max(counts(facts, "last_1000")) == HOUR_S
    assert max(counts(facts, "1m")) == 60
    assert max(counts(facts, "1h")) == HOUR_S


@pytest.mark.parametrize(("fresh", "told"), [(9, False), (10, True)])
def test_the_newest_are_told_at_a_minutes_end_and_when_a_tenth_of_them_is_new(
    fresh: int, told: bool
) -> None:
    # given many measurements, then nine cuts without any, and then some more
    found = [measured(2 + n / 100) for n in range(100 - fresh)]
    found += [measured(102 + n / 100) for n in range(fresh)]
    found = [replace(each, offset=offset) for offset, each in enumerate(found)]

    facts = take(MergeFold(0), steps(found, range(START_S + 10, START_S + 190, 10)))

    at_once = {110: 100} if told else {}
    assert counts(facts, "last_1000") == {
        10: 100 - fresh,
        60: 100 - fresh,
        **at_once,
        120: 100,
        180: 100,
    }


def test_cuts_go_on_for_seventy_minutes_of_silence_and_then_follow_the_reports() -> None:
    fold = MergeFold(0)
    take(fold, steps([measured(5)], [START_S + 10]))

    # when the only partition next reports two weeks later
    later_s = 14 * 24 * HOUR_S
    facts = take(fold, [advanced(0, 1, START_S + later_s)])

    assert ends(facts) == [*range(20, 10 + 4200 + 1, 10), later_s]


def test_cuts_in_a_silence_do_not_depend_on_which_partition_reports_first() -> None:
    often = [advanced(0, 2, START_S + end_s) for end_s in range(0, 100, 10)]
    rarely = [advanced(1, 2, START_S + end_s) for end_s in (0, 45 // 10 * 10, 90)]

    assert (
        ends(take(MergeFold(0), [*often, *rarely]))
        == ends(take(MergeFold(0), [*rarely, *often]))
        == list(range(0, 100, 10))
    )


def test_series_that_fell_silent_are_forgotten() -> None:
    def live_through(fold: MergeFold, generation: int) -> int:
        """An hour of one series and its silence; how many bytes the fold is."""
        start_s = START_S + generation * 3 * HOUR_S
        name = series(f"model {generation}")
        partial = partial_of(name, 0, start_s + 10, False, [measured(1)])
        recent = recent_of(name, 0, start_s + 10, [measured(1)])
        take(fold, [partial, recent, advanced(0, 1, start_s + 10)])
        take(fold, [advanced(0, 1, start_s + 2 * HOUR_S)])
        return len(pickle.dumps(fold))

    fold = MergeFold(0)
    first, *_, last = (live_through(fold, generation) for generation in range(5))
    assert last == first


def test_other_facts_of_the_topic_are_passed_over() -> None:
    facts = steps([measured(5)], range(START_S, START_S + 60, 10))
    outputs = take(MergeFold(0), facts)
    assert take(MergeFold(0), [*facts[:3], *outputs, *facts[3:]]) == outputs


def test_partials_are_packed_as_soon_as_they_come() -> None:
    """A partition far ahead of the others takes the memory of its numbers."""
    values = [measured(1, 1.01**number) for number in range(200)]
    fold = MergeFold(0)
    before = len(pickle.dumps(fold))
    partials = [partial_of(MODEL, 0, START_S + 10 * cut, False, values) for cut in range(1, 101)]

    take(fold, partials)

    bins = len(partials[0].metrics[0].bins)
    assert bins > 100
    assert len(pickle.dumps(fold)) - before < 100 * (bins * 12 + 1000)


@pytest.mark.parametrize("fresh", [500, 700, 1000])
def test_what_new_measurements_are_certain_to_replace_takes_no_room_any_more(fresh: int) -> None:
    # given a series with its newest 1,000 of one cut
    fold = MergeFold(0)
    first, second = (
        [replace(measured(at_s + n / 1000, value), offset=n) for n in range(1000)]
        for at_s, value in ((1, 1.0), (11, 2.0))
    )
    take(fold, steps(first, [START_S + 10]))
    before = len(pickle.dumps(fold))
    # when many newer ones come for the next cut, in two parts
    parts = (second[: fresh // 2], second[fresh // 2 : fresh])
    take(fold, [recent_of(MODEL, 0, START_S + 20, part) for part in parts])
    # then there is room for 1,000 only, and the cut says of them what it has to
    assert len(pickle.dumps(fold)) < before + 20_000
    facts = take(fold, [advanced(0, 1, START_S + 20)])
    windows = {each.window: each for each in facts if isinstance(each, WindowClosed)}
    assert windows["last_1000"].measurements == 1000
    assert windows["last_1000"].metrics[0].sum_whole == 2 * fresh + (1000 - fresh)


def test_measurements_that_are_told_twice_count_once() -> None:
    fold = MergeFold(0)
    found = [replace(measured(1 + number), offset=number) for number in range(3)]
    told = recent_of(MODEL, 0, START_S + 10, found)
    nothing = recent_of(MODEL, 0, START_S + 10, [])

    facts = take(fold, [nothing, nothing, told, told, advanced(0, 1, START_S + 10)])

    assert counts(facts, "last_1000") == {10: 3}
