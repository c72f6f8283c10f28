"""What is kept of measurements is what they say, in as few bytes as it goes."""

import numpy as np
import pytest

from modeltrail.processors.windows.columns import Extras, Floats, Rows
from modeltrail.processors.windows.kept import AnyFloats, Kept, column_of, kept
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import RANGE_LIMIT

NONE = np.nan


def rows(latency: list[float]) -> Rows:
    """Measurements of nothing but a latency."""
    numbers = np.arange(len(latency))
    values: Floats = np.full((len(MEASURES), len(latency)), NONE)
    values[MEASURES.index("latency_ms")] = latency
    nothing = np.zeros(0, dtype=np.int64)
    extras = Extras(nothing, nothing, np.zeros(0))
    return Rows(numbers, numbers + 5, numbers + 7, numbers % 2, numbers, values, extras)


def bits(values: AnyFloats) -> list[int]:
    found: list[int] = values.astype(np.float64).view(np.int64).tolist()
    return found


@pytest.mark.parametrize(
    ("latency", "bytes_taken"),
    [
        pytest.param([25.0, 25.0, 25.0], 8, id="always the same"),
        pytest.param([0.5, 1.0, 2.0], 3 * 4, id="exact in 32 bits"),
        pytest.param([0.5, NONE, 2.0], 3 * 4, id="exact in 32 bits, one missing"),
        pytest.param([0.1, 0.2, 0.3], 3 * 8, id="not exact in 32 bits"),
        pytest.param([0.0, -0.0], 2 * 4, id="the two zeros"),
    ],
)
def test_values_are_kept_exactly_in_few_bytes(latency: list[float], bytes_taken: int) -> None:
    found = kept(rows(latency))

    assert list(found.columns) == ["latency_ms"]
    assert found.columns["latency_ms"].nbytes == bytes_taken
    assert bits(column_of("latency_ms", [found])) == bits(np.array(latency))


@pytest.mark.parametrize("value", [RANGE_LIMIT, -RANGE_LIMIT, np.inf])
def test_what_is_out_of_range_is_not_kept(value: float) -> None:
    assert not kept(rows([value, value])).columns
    of_both = kept(rows([1.0, value])).columns["latency_ms"]
    assert of_both.tolist()[:1] == [1.0]
    assert np.isnan(of_both[1])


def test_a_column_that_a_part_lacks_is_nothing_there() -> None:
    parts = [kept(rows([1.0, 2.0])), kept(rows([NONE])), kept(rows([3.0, 3.0]))]

    column = column_of("latency_ms", parts)

    assert np.array_equal(column, [1.0, 2.0, NONE, 3.0, 3.0], equal_nan=True)


def test_some_rows_are_those_that_were_asked_for() -> None:
    all_rows = kept(rows([0.1, 0.2, 0.3, 0.4]))

    def told(part: Kept) -> tuple[list[int], list[int], list[float]]:
        values = column_of("latency_ms", [part]).tolist()
        return part.offsets.tolist(), part.series.tolist(), values

    assert told(all_rows.between(1, 3)) == ([6, 7], [1, 0], [0.2, 0.3])
    assert told(all_rows.where(np.array([True, False, False, True]))) == (
        [5, 8],
        [0, 1],
        [0.1, 0.4],
    )
