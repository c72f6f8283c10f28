"""The history of a series gives the buckets of its last hour, and none of an hour before."""

import numpy as np
import pytest

from modeltrail.processors.drift.history import BUCKET_US, BUCKETS, History
from modeltrail.processors.drift.reference import compiled
from modeltrail.schemas.events import ReferenceProfiled
from modeltrail.schemas.ids import Micros
from tests.scenario.processors.drift_streams import BEGIN_US, profiled


def _history() -> History:
    fact = profiled({"faces": np.repeat([0.0, 1.0, 2.0], 50)}).fact
    assert isinstance(fact, ReferenceProfiled)
    return History(compiled(fact))


@pytest.mark.parametrize("first", [0, 1, 100, 359])
@pytest.mark.parametrize("last", [1, 5, 359, 360, 361, 1_000])
@pytest.mark.parametrize("share_of_gaps", [0.0, 0.3])
def test_the_buckets_of_the_last_hour_come_in_the_order_of_time(
    first: int, last: int, share_of_gaps: float
) -> None:
    rng = np.random.default_rng(last)
    history = _history()
    added = {}
    for number in range(first, first + last):
        if rng.random() >= share_of_gaps:
            added[number] = rng.integers(0, 99, 4)
            history.add(Micros(BEGIN_US + number * BUCKET_US), added[number])
    newest = first + last - 1
    end = Micros(BEGIN_US + newest * BUCKET_US)

    known = history.known(end)

    hour = range(newest - BUCKETS + 1, newest + 1)
    assert known.tolist() == [number in added for number in hour]
    for buckets in (1, 6, 30, BUCKETS):
        expected = [added[number].tolist() for number in hour[-buckets:] if number in added]
        assert history.until(end, known[-buckets:]).tolist() == expected


def test_a_bucket_that_is_there_already_is_replaced() -> None:
    history, end = _history(), Micros(BEGIN_US)
    history.add(end, np.array([1, 2, 3, 4]))

    history.add(end, np.array([5, 6, 7, 8]))

    assert history.until(end, history.known(end)).tolist() == [[5, 6, 7, 8]]
