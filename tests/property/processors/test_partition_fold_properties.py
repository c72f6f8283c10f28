"""However a log is fetched, and however often its reader dies, the same facts come of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeltrail.processors.windows.columns import Codes, Columns, Measurements, metric_codes
from modeltrail.processors.windows.cuts import Place
from modeltrail.processors.windows.fold import WindowsFold
from modeltrail.processors.windows.reading import BatchReader
from modeltrail.schemas.admission import Declarations
from modeltrail.schemas.columns import longs
from modeltrail.schemas.events import (
    Fact,
    MeasurementSampled,
    ModelRegistered,
    PartialWindow,
    RecentMeasured,
    RecentMeasurements,
)
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.sketch import bins_of, fixed_point, normalised
from tests.unit.processors.inference_log import (
    CODEC,
    EPOCH_MS,
    PARTITION,
    PARTITIONS,
    Record,
    absorb,
    append,
    declared,
    fetch,
    marked,
    measured,
    new_fold,
    only,
    set_rules,
    truth,
    value_rule,
)

VALUES = st.sampled_from([0.0, -0.0, 1.0, 1.004, -2.5, 1e-9, 40.0, 63.0, 1e13]) | st.floats(
    -1e6, 1e6
)
GAPS_S = st.sampled_from([0.0, 0.001, 0.5, 2.0, 2.0, 3.0, 4.0, 5.0, 9.999, 10.0, 11.0, 47.0])
CONTROL = (
    set_rules(-5, value_rule("latency_ms", 10), value_rule("queue", 5)),
    set_rules(21, value_rule("latency_ms", 30, name="other"), value_rule("accuracy", 0.5)),
    declared(13, "queue"),
)
TOLD_ROWS = st.sampled_from([1, 2, 5, 1000])
QUICKLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Told:
    """A measurement of a log, as far as windows go."""

    arm: str
    captured_ms: int
    appended_ms: int
    latency_ms: float | None


@dataclass(frozen=True)
class Log:
    """A log, and the measurements in it."""

    records: list[Record]
    told: list[Told]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    records: list[Record] = []
    told = []
    second = draw(st.sampled_from([11.0, 13.0, 18.5, 20.0]))
    for number in range(draw(st.integers(1, 30))):
        second = round(second + draw(GAPS_S), 3)
        kind = draw(st.sampled_from(["measured"] * 6 + ["truth"] * 3 + ["marked", "bad"]))
        if kind == "measured":
            captured = round(
                second + draw(st.sampled_from([0.0, -1.0, -6.0, -10.0, -10.1, 9.0])), 3
            )
            changes: dict[str, Any] = {
                "arm": draw(st.sampled_from(["champion", "candidate"])),
                "latency_ms": draw(st.none() | VALUES),
                "faces": draw(st.sampled_from([None, 0, 1, 2])),
            }
            if draw(st.booleans()):
                changes |= {"extra_names": ("queue",), "extra_values": (draw(VALUES),)}
            event_id = EventId(number.to_bytes(2, "big") * 8)
            records.append(measured(captured, second, number, event_id=event_id, **changes))
            if "extra_names" not in changes or second >= 13:
                told.append(
                    Told(
                        changes["arm"],
                        round(captured * 1000),
                        round(second * 1000),
                        changes["latency_ms"],
                    )
                )
        elif kind == "truth":
            frame = number + draw(st.integers(-20, 2))
            records.append(truth(second, frame, faces=draw(st.sampled_from([0.0, 1.0]))))
        elif kind == "marked":
            records.append(marked(second))
        else:
            records.append(append(second, b"\x00 bad"))
    return Log(records, told)


def fetched(records: Sequence[Record], cuts: Sequence[int]) -> Iterator[tuple[int, list[Record]]]:
    """The log in fetches that begin at `cuts`, each with its first offset."""
    edges = sorted({0, len(records), *(cut % (len(records) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        yield begin, list(records[begin:end])


def as_bytes(facts: Sequence[Fact]) -> list[bytes]:
    return [CODEC.encode(fact) for fact in facts]


def all_facts(log: Log, **how: Any) -> list[Fact]:
    return absorb(new_fold(*CONTROL, **how), log.records)


def telling_after(rows: int) -> Any:
    """Within this, the newest measurements are told after so many of a step."""
    return patch("modeltrail.processors.windows.fold.TOLD_ROWS", rows)


@QUICKLY
@given(logs(), st.lists(st.integers(0, 40), max_size=6), st.sampled_from([1, 3, 1000]), TOLD_ROWS)
def test_how_a_log_is_cut_into_fetches_changes_no_byte(
    log: Log, cuts: list[int], capacity: int, told_rows: int
) -> None:
    with telling_after(told_rows):
        fold = new_fold(*CONTROL, rate=0.7, capacity=capacity)
        found: list[Fact] = []
        for begin, records in fetched(log.records, cuts):
            # A fetch may begin with what an earlier one had.
            again = max(0, begin - 2)
            found += absorb(fold, log.records[again:begin] + records, again)
        expected = all_facts(log, rate=0.7, capacity=capacity)

    # Where many come at once, what is told of them and what follows from each may change places.
    assert sorted(as_bytes(found)) == sorted(as_bytes(expected))


@QUICKLY
@given(logs(), st.integers(1, 5))
def test_what_is_told_early_is_what_would_be_told_at_the_cut(log: Log, told_rows: int) -> None:
    cut = Log([*log.records, marked(1_000_000)], log.told)
    at_cuts = all_facts(cut)
    with telling_after(told_rows):
        early = all_facts(cut)

    assert newest_rows(early) == newest_rows(at_cuts)
    assert len({fact.event_id for fact in early}) == len(early)
    assert all_but_newest(early) == all_but_newest(at_cuts)


def newest_rows(facts: Sequence[Fact]) -> dict[tuple[object, ...], list[tuple[object, ...]]]:
    """Append time, offset and values of the measurements told of each series and step."""
    found: dict[tuple[object, ...], list[tuple[object, ...]]] = defaultdict(list)
    for fact in only(RecentMeasured, facts):
        of_step = found[fact.arm, fact.advanced_to]
        for place, (time_ms, offset) in enumerate(zip(fact.appended_ms, fact.offsets, strict=True)):
            values = {metric.name: metric.values[place] for metric in fact.metrics}
            there = {name: value for name, value in values.items() if value == value}
            of_step.append((time_ms, offset, repr(sorted(there.items()))))
    return dict(found)


def all_but_newest(facts: Sequence[Fact]) -> list[bytes]:
    return as_bytes([fact for fact in facts if not isinstance(fact, RecentMeasurements)])


@settings(max_examples=100, deadline=None)
@given(logs(), st.lists(st.integers(0, 40), max_size=8), TOLD_ROWS, st.data())
def test_a_reader_that_dies_again_and_again_says_the_same_and_leaves_nothing_out(
    log: Log, cuts: list[int], told_rows: int, data: st.DataObject
) -> None:
    with telling_after(told_rows):
        _die_again_and_again(log, cuts, data)


def _die_again_and_again(log: Log, cuts: list[int], data: st.DataObject) -> None:
    place = Place(PARTITION, PARTITIONS, Codes(), metric_codes())
    whole = read_all(log.records, place, rate=0.7)
    edges = [begin for begin, _ in fetched(log.records, cuts)]
    expected = WindowsFold(place, 1000, from_beginning=True)
    take_control(expected)
    published: dict[EventId, bytes] = {}
    samples: list[MeasurementSampled] = []
    begin, deaths = 0, data.draw(st.integers(0, 4))
    while True:
        fold = WindowsFold(place, 1000, from_beginning=begin == 0)
        take_control(fold)
        fold.restore_samples(samples)
        fetches = list(
            pairwise([begin, *(edge for edge in edges if edge > begin), len(log.records)])
        )
        lives = data.draw(st.integers(1, len(fetches))) if deaths else len(fetches)
        committed = begin
        for number, (low, high) in enumerate(fetches[:lives], start=1):
            facts = list(fold.absorb(part_of(whole, low, high)))
            dies = deaths > 0 and number == lives
            told = facts[: data.draw(st.integers(0, len(facts)))] if dies else facts
            for fact in told:
                encoded = CODEC.encode(fact)
                assert published.setdefault(fact.event_id, encoded) == encoded
            samples += only(MeasurementSampled, told)
            if not dies:
                committed = fold.resume_from()
        if not deaths:
            break
        begin, deaths = committed, deaths - 1

    assert published == {fact.event_id: CODEC.encode(fact) for fact in expected.absorb(whole)}


def read_all(records: Sequence[Record], place: Place, rate: float) -> Columns:
    """The log as one fetch."""
    declarations = Declarations()
    for record in CONTROL:
        if isinstance(record.fact, ModelRegistered):
            declarations.add(record.fact, record.appended_ms)
    reader = BatchReader(place.series, place.metrics, rate)
    return reader.read(fetch(records), declarations.since)


def take_control(fold: WindowsFold) -> None:
    for record in CONTROL:
        fold.absorb_control(record)


def part_of(whole: Columns, low: int, high: int) -> Columns:
    """The fetch of the records from `low` up to `high`."""
    all_of_it = whole.measurements
    mine = (all_of_it.positions >= low) & (all_of_it.positions < high)
    first = int(np.searchsorted(all_of_it.positions, low))
    refused = whole.refused[(whole.refused >= low) & (whole.refused < high)]
    return Columns(
        whole.offsets[low:high],
        whole.appended_ms[low:high],
        refused - low,
        Measurements(
            all_of_it.positions[mine] - low,
            all_of_it.series[mine],
            all_of_it.captured_us[mine],
            all_of_it.values[:, mine],
            all_of_it.extras.where(mine),
            all_of_it.sampled[mine[all_of_it.sampled]] - first,
            lambda numbers: all_of_it.identities(numbers + first),
        ),
        tuple(
            replace(each, position=each.position - low)
            for each in whole.truths
            if low <= each.position < high
        ),
    )


@QUICKLY
@given(logs())
def test_the_last_word_on_a_bucket_is_what_its_measurements_add_up_to(log: Log) -> None:
    ending = marked(1_000_000)
    facts = all_facts(Log([*log.records, ending], log.told))

    newest = {
        (each.start // 1000 - EPOCH_MS, each.arm): each for each in only(PartialWindow, facts)
    }

    expected: dict[tuple[int, str], list[float | None]] = defaultdict(list)
    for each in log.told:
        if each.appended_ms - each.captured_ms <= 10_000:
            expected[each.captured_ms // 10_000 * 10_000, each.arm].append(each.latency_ms)
    assert {place: each.measurements for place, each in newest.items()} == {
        place: len(values) for place, values in expected.items()
    }
    for place, measured_values in expected.items():
        values = np.array([v for v in measured_values if v is not None and abs(v) < 2.0**42])
        latency = {each.name: each for each in newest[place].metrics}.get("latency_ms")
        assert (latency is not None) == bool(values.size)
        if latency is not None:
            bins, counts = np.unique(bins_of(values), return_counts=True)
            assert (latency.bins, latency.counts) == (longs(bins), longs(counts))
            whole, fraction = fixed_point(values)
            total = normalised(int(whole.sum()), int(fraction.sum()))
            assert (latency.sum_whole, latency.sum_fraction) == total
            assert (latency.min, latency.max) == (values.min(), values.max())
