"""What is worked out by whole columns is what each metric alone comes to."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.windows.metric_windows import SHARES, metric_windows
from modeltrail.processors.windows.series import MEASUREMENTS, SeriesRows
from modeltrail.processors.windows.sketches import middles
from modeltrail.schemas.columns import longs, no_longs
from modeltrail.schemas.events import MetricWindow
from modeltrail.schemas.sketch import RANGE_LIMIT, bin_middle, bins_of, mean_of
from tests.stage_one import series

FURTHEST = int(bins_of(np.array([RANGE_LIMIT]))[0])
MODELS = ("light", "centerface", "other")
NUMBERS = st.floats(-1e12, 1e12)
ROWS = st.lists(
    st.tuples(
        st.text(max_size=3),
        st.integers(0, 2**60),
        st.integers(-(2**62), 2**62),
        st.integers(0, 2**40 - 1),
        st.lists(NUMBERS, min_size=2 + len(SHARES), max_size=2 + len(SHARES)),
        st.lists(st.tuples(st.integers(-100, 100), st.integers(1, 9)), max_size=3),
    ),
    max_size=5,
)


@given(st.lists(st.integers(-FURTHEST, FURTHEST)))
def test_the_middle_of_each_bin_is_its_own(bins: list[int]) -> None:
    assert middles(np.array(bins, dtype=np.int32)).tolist() == list(map(bin_middle, bins))


@given(ROWS, st.booleans())
@settings(deadline=None)
def test_metrics_of_columns_are_those_made_one_by_one(
    rows: list[tuple[str, int, int, int, list[float], list[tuple[int, int]]]], with_bins: bool
) -> None:
    totals = np.array([row[1:4] for row in rows], dtype=np.int64).reshape(-1, 3).T
    numbers = np.array([row[4] for row in rows]).reshape(-1, 2 + len(SHARES)).T
    pairs = [
        [longs(pair[side] for pair in row[5]) if with_bins else no_longs() for row in rows]
        for side in range(2)
    ]
    made = metric_windows(
        [row[0] for row in rows], totals, numbers[:2], numbers[2:], *(pairs if with_bins else ())
    )
    assert made == [
        MetricWindow(name, count, whole, part, mean_of(max(count, 1), whole, part), *five, *bins)
        for (name, count, whole, part, five, _), *bins in zip(rows, *pairs, strict=True)
    ]


@given(st.data())
def test_rows_are_ordered_by_series_and_by_name_of_their_metrics(data: st.DataObject) -> None:
    # given rows of metrics in the order in which they came
    rows = SeriesRows()
    metrics = st.lists(
        st.tuples(
            st.sampled_from(MODELS).map(series),
            st.sampled_from(["latency_ms", "faces", "fps", "luma_mean"]),
        )
    )
    for _ in range(2):
        for name, metric in data.draw(metrics):
            rows.row_of(name, metric)
            rows.row_of(name, MEASUREMENTS)
        # when a table has some of them, and what counts measurements of each of their series
        every = rows.rows_of(map(series, MODELS))
        chosen = {row for row in every if data.draw(st.booleans())}
        chosen |= {rows.row_of(rows.name_of(row)[0], MEASUREMENTS) for row in chosen}
        table = np.array(sorted(chosen), dtype=np.int64)
        found = rows.ordered(table)
        # then both are found where they are
        names = {rows.name_of(row) for row in chosen}
        assert found.series == sorted({name for name, _ in names})
        assert [rows.name_of(row) for row in table[found.measured].tolist()] == [
            (name, MEASUREMENTS) for name in found.series
        ]
        metric_rows = table[found.metrics].tolist()
        assert [rows.name_of(row)[1] for row in metric_rows] == found.names
        for name, begin, end in zip(found.series, found.begins, found.ends, strict=True):
            assert [rows.name_of(row) for row in metric_rows[begin:end]] == sorted(
                each for each in names if each[0] == name and each[1] != MEASUREMENTS
            )
