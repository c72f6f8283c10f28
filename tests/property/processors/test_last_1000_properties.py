"""However many come and go, a ring holds the newest 1,000 of the last hour, by their definition."""

import math
import random
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.windows.arriving import MOST, Arriving
from modeltrail.processors.windows.described import Newest, described
from modeltrail.processors.windows.last_1000 import Last1000
from modeltrail.processors.windows.rings import totals_of
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.events import MetricWindow, RecentMeasurements
from tests.many_series import put_together
from tests.stage_one import (
    START_S,
    Measured,
    by_series,
    expected,
    metric_window,
    recent_of,
    series,
)

SOURCES = 2
NAMES = tuple(map(series, ("centerface", "light")))
METRICS = ("faces", "latency_ms", "luma_mean")
#: How many seconds pass until the next cut, and how many measurements each series has in it.
CUTS = st.lists(
    st.tuples(
        st.sampled_from([10, 10, 20, 600, 3500]),
        st.lists(
            st.sampled_from([0, 1, 3, 60, 450, 700, 1300]),
            min_size=len(NAMES),
            max_size=len(NAMES),
        ),
    ),
    min_size=1,
    max_size=8,
)


def measured(cuts: Sequence[tuple[int, Sequence[int]]], seed: int) -> Iterator[Measured]:
    """Measurements in the 10 s before each cut; ties and missing metrics are common."""
    order = random.Random(seed)
    end_s = START_S
    for after_s, counts in cuts:
        end_s += after_s
        times = [
            (end_s * 1000 + 1000 - 10 * order.randrange(1000), order.randrange(SOURCES), name)
            for name, count in zip(NAMES, counts, strict=True)
            for _ in range(count)
        ]
        metrics = order.sample(METRICS, order.randint(0, len(METRICS)))
        for number, (at_ms, source, name) in enumerate(sorted(times)):
            values = {
                metric: order.choice([0.0, -2.5, order.lognormvariate(3, 1)])
                for metric in metrics
                if order.random() < 0.99
            }
            yield Measured(source, end_s * 10_000 + number, name, at_ms * 1000, at_ms, values)


@given(CUTS, st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_newest_are_those_of_the_definition(
    cuts: list[tuple[int, list[int]]], seed: int
) -> None:
    found = list(measured(cuts, seed))
    order = random.Random(seed)
    kept = Last1000()
    end_s = START_S
    for after_s, _ in cuts:
        end_s += after_s
        # when what came since the last cut is told in parts, some twice, and room is made or not
        mine = [each for each in found if 0 <= (end_s + 1) * 1000 - each.appended_ms < 10_000]
        arriving = Arriving()
        parts = [recent for source in range(SOURCES) for recent in told(mine, source, end_s, order)]
        for recent in [*parts, *parts[: order.randint(0, 1)]]:
            for series_of_many, count in arriving.add(recent):
                kept.make_room(series_of_many, count)
        kept.absorb(arriving, (end_s + 1) * 1000)
        # then the newest of all that ever came are described, if it is time to
        assert {
            name: (len(ring), metrics, ring.oldest_ms)
            for name, ring, metrics in kept.described(end_s)
        } == {
            name: (*content, oldest_ms(found, name, end_s))
            for name, content in expected(found, "last_1000", end_s, final=False).items()
        }


def told(
    found: Sequence[Measured], source: int, end_s: int, order: random.Random
) -> Iterator[RecentMeasurements]:
    """What a source tells of each series, in two parts."""
    for name, own in by_series(each for each in found if each.source == source).items():
        middle = order.randint(0, len(own))
        for part in (own[:middle], own[middle:]):
            if part:
                (recent,) = put_together([recent_of(name, source, end_s, part)])
                yield cast(RecentMeasurements, recent)


def oldest_ms(found: Sequence[Measured], name: Series, end_s: int) -> int:
    cut_ms = (end_s + 1) * 1000
    times = sorted(
        each.appended_ms
        for each in found
        if each.series == name and cut_ms - 3_600_000 < each.appended_ms <= cut_ms
    )
    return times[-MOST:][0]


VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 40.0, 5e-324, 1e-310, 2.0**41]),
    st.floats(30.0, 50.0),
    st.floats(-(2.0**42), 2.0**42, exclude_min=True, exclude_max=True),
    st.just(math.nan),
)


@given(
    st.lists(
        st.integers(1, 12).flatmap(
            lambda columns: st.lists(
                st.lists(VALUES, min_size=columns, max_size=columns).filter(
                    lambda row: not all(map(math.isnan, row))
                ),
                min_size=1,
                max_size=4,
            )
        ),
        max_size=7,
    )
)
@settings(deadline=None)
def test_many_series_are_described_as_each_metric_alone(tables: list[list[list[float]]]) -> None:
    blocks = [np.array(table) for table in tables]
    kept = [
        Newest(tuple(f"metric-{row}" for row in range(len(block))), totals, block.copy)
        for block, totals in zip(blocks, totals_of(blocks), strict=True)
    ]
    assert list(described(kept)) == [
        tuple(map(alone, range(len(table)), table)) for table in tables
    ]


def alone(row: int, values: Sequence[float]) -> MetricWindow:
    there = [value for value in values if not math.isnan(value)]
    return metric_window(f"metric-{row}", there, with_bins=False)


def test_which_zero_is_the_least_does_not_depend_on_where_the_ring_begins() -> None:
    for values in ([0.0, -0.0, 3.0], [-0.0, 0.0, 3.0], [-0.0, -0.0, -0.0]):
        block = np.array([values])
        (totals,) = totals_of([block])
        ((metric,),) = described([Newest(("faces",), totals, block.copy)])
        assert (str(metric.min), str(metric.p50)) == ("0.0", "0.0")
