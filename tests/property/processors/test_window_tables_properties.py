"""Tables of many metrics add up and rank as one metric at a time does, in any order."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.windows import sketches
from modeltrail.processors.windows.sketches import (
    NONE,
    Floats,
    Integers,
    Parts,
    Sketches,
    added_up,
    merged,
    replaced,
    rows_that_differ,
)
from modeltrail.schemas.sketch import bins_of, fixed_point, normalised, quantile
from modeltrail.schemas.sketch import merged as merged_bins

SHARES = (0.0, 0.5, 0.95, 0.99, 1.0)
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 40.0]),
    st.floats(-(2.0**42), 2.0**42, exclude_min=True, exclude_max=True),
)
Given = list[tuple[int, list[float]]]
PARTS = st.lists(st.tuples(st.integers(0, 2**41), st.lists(VALUES, max_size=8)), max_size=12)


def table_of(parts: Sequence[tuple[int, list[float]]]) -> Sketches:
    """Each part on its own row, or on one that another part has."""
    lengths, bins, totals, ranges = [], [], [], []
    for _, values in parts:
        array = np.array(values, dtype=np.float64)
        whole, fraction = (int(part.sum()) for part in fixed_point(array))
        totals.append((len(values), whole, fraction))
        ranges.append((min(values), max(values)) if values else (0.0, 0.0))
        lengths.append(len(values))
        bins += np.sort(bins_of(array)).tolist()
    return added_up(
        [
            Parts(
                np.array([row for row, _ in parts], dtype=np.int64),
                np.array(totals, dtype=np.int64).reshape(-1, 3).T,
                np.array(ranges, dtype=np.float64).reshape(-1, 2).T,
                np.array(lengths, dtype=np.int64),
                np.array(bins, dtype=np.int64),
                np.ones(len(bins), dtype=np.int64),
            )
        ]
    )


def same(one: Sketches, other: Sketches) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Sketches)
        if field.name not in ("first_bins", "packed")
    ) and np.array_equal(one.bins, other.bins)


@given(PARTS, st.integers(1, 5))
@settings(deadline=None)
def test_how_parts_are_cut_into_tables_makes_no_difference(parts: Given, cuts: int) -> None:
    tables = [table_of(parts[start::cuts]) for start in range(cuts)]
    assert same(merged(tables), table_of(parts))
    assert same(merged(tables[::-1]), table_of(parts))


@given(PARTS)
@settings(deadline=None)
def test_each_row_is_what_its_values_alone_come_to(parts: Given) -> None:
    table = table_of(parts)
    quantiles = table.quantiles(SHARES)
    assert table.rows.tolist() == sorted({row for row, _ in parts})
    for place, row in enumerate(table.rows.tolist()):
        # A part without values is a count alone: it has no least value to forget.
        values = np.array([value for own, some in parts if own == row for value in some])
        whole, fraction = (int(part.sum()) for part in fixed_point(values))
        assert table.totals[:, place].tolist() == [len(values), *normalised(whole, fraction)]
        entries = slice(table.starts[place], table.starts[place + 1])
        bins, counts = merged_bins([(bins_of(values), np.ones(len(values)))])
        assert table.bins[entries].tolist() == bins.tolist()
        assert table.bin_counts[entries].tolist() == counts.tolist()
        if len(values):
            assert quantiles[:, place].tolist() == [
                quantile(bins, counts, share, *table.ranges[:, place].tolist()) for share in SHARES
            ]
        else:
            assert np.isnan(quantiles[:, place]).all()


@given(PARTS, PARTS)
@settings(deadline=None)
def test_rows_differ_where_anything_of_them_does(one: Given, other: Given) -> None:
    tables = table_of(one), table_of(other)
    held = [
        {
            row: (
                table.totals[:, place].tolist(),
                table.ranges[:, place].tolist(),
                table.bins[table.starts[place] : table.starts[place + 1]].tolist(),
                table.bin_counts[table.starts[place] : table.starts[place + 1]].tolist(),
            )
            for place, row in enumerate(table.rows.tolist())
        }
        for table in tables
    ]
    rows = held[0].keys() | held[1].keys()
    assert rows_that_differ(*tables).tolist() == sorted(
        row for row in rows if held[0].get(row) != held[1].get(row)
    )


@given(PARTS, PARTS, st.data())
@settings(deadline=None)
def test_replaced_rows_are_as_in_the_other_table(
    one: Given, other: Given, data: st.DataObject
) -> None:
    table, by = table_of(one), table_of(other)
    rows = np.union1d(by.rows, [row for row in table.rows.tolist() if data.draw(st.booleans())])
    found = replaced(table, rows, by)
    assert same(found.where(np.isin(found.rows, rows)), by)
    assert same(found.where(~np.isin(found.rows, rows)), table.where(~np.isin(table.rows, rows)))


def test_more_bins_than_are_sorted_at_once_merge_the_same() -> None:
    # given tables of some 500,000 bins each, in rows of many bins and of one
    random = np.random.default_rng(0)
    values = np.exp(random.normal(0, 3, (3, 600_000)))
    rows = (random.pareto(0.5, (3, 600_000)) % 500).astype(np.int64)
    tables = [_table_of_rows(*each) for each in zip(rows, values, strict=True)]
    assert sum(len(table.bin_counts) for table in tables) > sketches._MOST_KEYS
    # then they are what all values at once are
    assert same(merged(tables), _table_of_rows(rows.ravel(), values.ravel()))


def test_counts_too_large_to_be_sorted_with_their_keys_are_kept() -> None:
    far = np.array([0, 2**41])
    table = added_up(
        [
            Parts(
                far,
                np.array([[2**40, 1], [0, 0], [0, 0]]),
                np.array([[0.0, 1.0], [0.0, 1.0]]),
                np.array([1, 1]),
                np.array([0, bins_of(np.array([1.0]))[0]]),
                np.array([2**40, 1]),
            )
        ]
    )
    assert merged([table, table]).bin_counts.tolist() == [2**41, 2]


def test_no_table_is_a_table_of_nothing() -> None:
    assert same(merged([]), NONE)
    assert same(merged([NONE, NONE]), NONE)
    assert NONE.quantiles(SHARES).shape == (len(SHARES), 0)


def _table_of_rows(rows: Integers, values: Floats) -> Sketches:
    whole, fraction = fixed_point(values)
    return added_up(
        [
            Parts(
                rows,
                np.stack((np.ones_like(whole), whole, fraction)),
                np.stack((values, values)),
                np.ones(len(values), dtype=np.int64),
                bins_of(values),
                np.ones(len(values), dtype=np.int64),
            )
        ]
    )
