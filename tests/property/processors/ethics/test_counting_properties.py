"""Counts do not depend on how rows are cut into batches, nor labels on how they are written."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.ethics.counting import CELLS, OutcomeTable
from modeltrail.processors.ethics.importance import Sample
from modeltrail.processors.ethics.intervals import wilson
from modeltrail.processors.ethics.labels import Labels, label_of, numbers
from modeltrail.processors.ethics.membership import auc
from modeltrail.processors.ethics.passing import DataPass
from modeltrail.processors.ethics.reading import Data
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.assessment_settings import assessment_settings

SETTINGS = assessment_settings("""
outcome: {truth: truth, prediction: predicted}
sensitive: [sex, age]
cuts: {age: [0, 10]}
unit: unit
latency: ms
""")
ROW = st.tuples(
    st.sampled_from(["f", "m", None, ""]),
    st.one_of(st.none(), st.floats(-20, 30)),
    st.sampled_from(["0", "1", "1.0", "true", "x", None]),
    st.sampled_from(["0", "1", "False", None]),
    st.one_of(st.none(), st.text(max_size=3)),
    st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
)
COLUMNS = ("sex", "age", "truth", "predicted", "unit", "ms")


def passed(rows: Sequence[tuple[object, ...]], cuts: Sequence[int]) -> DataPass:
    """What is left of rows that come in batches cut at some places."""
    made = DataPass(SETTINGS, None, Sample(10, np.random.default_rng(0)))
    kinds = dict.fromkeys(COLUMNS, pa.string()) | {"age": pa.float64(), "ms": pa.float64()}
    columns = {
        name: pa.array([row[place] for row in rows], kinds[name])
        for place, name in enumerate(COLUMNS)
    }
    places = [0, *sorted({min(cut, len(rows)) for cut in cuts}), len(rows)]
    for start, end in pairwise(places):
        if end > start:
            made.add({name: column.slice(start, end - start) for name, column in columns.items()})
    return made


@given(st.lists(ROW, min_size=1, max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_batches_may_be_cut_anywhere(rows: list[tuple[object, ...]], cuts: list[int]) -> None:
    whole, pieces = passed(rows, []), passed(rows, cuts)
    assert pieces.tally == whole.tally
    assert pieces.partitions() == whole.partitions()
    counted = whole.outcomes.counts(whole.order)
    assert np.array_equal(pieces.outcomes.counts(pieces.order), counted)
    assert counted.sum() == whole.tally.judged


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9)), max_size=80))
def test_a_table_counts_what_a_loop_counts(rows: list[tuple[int, int, int]]) -> None:
    table = OutcomeTable(by_lot=True)
    groups, cells, lots = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    table.add(groups, cells, None, lots)
    by_hand = np.zeros((4, CELLS), np.int64)
    for group, cell, _ in rows:
        by_hand[group, cell] += 1
    counts = table.counts(range(4))
    assert np.array_equal(counts.sum(axis=0), by_hand)
    assert len(counts) == len({lot for _, _, lot in rows})


@given(st.one_of(st.integers(-(2**52), 2**52), st.floats(allow_nan=False), st.booleans()))
def test_a_value_has_the_same_label_as_its_text(value: float) -> None:
    assert label_of(value) == label_of(str(value))
    label = label_of(value)
    assert label is not None
    assert float(label) == float(value)


@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=30))
def test_codes_and_names_tell_each_label(values: list[str | None]) -> None:
    labels = Labels("x", 100)
    codes = labels.codes(pa.array(values, pa.string()))
    told = [labels.names[code] if code >= 0 else None for code in codes]
    assert told == [label_of(value) for value in values]
    as_numbers = numbers(pa.array(values, pa.string()))
    assert len(as_numbers) == len(values)
    assert not np.isinf(as_numbers).any()


@given(st.integers(0, 1000), st.integers(1, 1000), st.floats(0.5, 0.999))
def test_wilsons_interval_holds_the_share(hits: int, n: int, confidence: float) -> None:
    hits = min(hits, n)
    low, high = wilson(hits, n, confidence)
    assert low is not None
    assert high is not None
    assert 0 <= low <= hits / n <= high <= 1


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=20),
    st.lists(st.integers(0, 6), min_size=2, max_size=20),
)
def test_the_area_is_that_of_all_pairs(members: list[int], others: list[int]) -> None:
    value, variance = auc(np.array(members, float), np.array(others, float))
    pairs = [(m > o) + (m == o) / 2 for m in members for o in others]
    assert value == pytest.approx(np.mean(pairs))
    assert variance >= 0


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(raw)
    rows = 0
    with suppress(Refused):
        data = Data(path)
        rows = sum(batch.num_rows for batch in data.batches(data.columns))
    assert rows <= len(raw)
