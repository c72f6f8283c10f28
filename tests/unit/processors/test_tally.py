"""Many rows, which are added up in several goes, come to what they come to at once."""

from collections import Counter

import numpy as np
import pytest

from modeltrail.processors.windows.columns import (
    Codes,
    Extras,
    Rows,
    metric_codes,
)
from modeltrail.processors.windows.cuts import Bucket, Place, decided_partials
from modeltrail.processors.windows.kept import Kept, kept
from modeltrail.processors.windows.recent import MOST, Recent
from modeltrail.processors.windows.series import Series
from modeltrail.processors.windows.tally import Tally
from modeltrail.schemas.events import PartialWindow
from modeltrail.schemas.ids import ModelId, Version
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import bins_of
from tests.unit.processors.inference_log import only

ROWS = 150_000
SERIES = 7
QUEUE = "queue"


@pytest.fixture(scope="module")
def rows() -> Rows:
    chance = np.random.default_rng(4)
    values = np.full((len(MEASURES), ROWS), np.nan)
    values[MEASURES.index("latency_ms")] = chance.gamma(2, 20, ROWS)
    values[MEASURES.index("faces")] = np.where(chance.random(ROWS) < 0.5, np.nan, 2.0)
    series = chance.integers(0, SERIES, ROWS)
    series[-10:] = SERIES
    owners = np.flatnonzero(chance.random(ROWS) < 0.1)
    queue = metric_codes().of(QUEUE)
    extras = Extras(owners, np.full(len(owners), queue), chance.normal(size=len(owners)))
    numbers = np.arange(ROWS)
    return Rows(numbers, numbers + 5, numbers // 100, series, numbers, values, extras)


def in_parts(rows: Rows, size: int) -> list[Kept]:
    numbers = np.arange(len(rows)) // size
    return [kept(rows.where(numbers == number)) for number in range(numbers[-1] + 1)]


def metrics() -> Codes[str]:
    codes = metric_codes()
    codes.of(QUEUE)
    return codes


def told(tally: Tally) -> list[PartialWindow]:
    """What a partition with 7 others tells of a bucket; series 0 is version v0."""
    series: Codes[Series] = Codes(
        (ModelId("model"), Version(f"v{code}"), "", "") for code in range(SERIES + 1)
    )
    place = Place(0, 8, series, metrics())
    return only(PartialWindow, decided_partials(place, 0, Bucket(tally)))


class TestTally:
    @pytest.mark.parametrize("size", [9_000, 70_000])
    def test_parts_add_up_to_the_whole(self, rows: Rows, size: int) -> None:
        whole, cut = Tally(), Tally()
        whole.add(kept(rows))
        for part in in_parts(rows, size):
            cut.add(part)

        assert told(cut) == told(whole)

    def test_telling_what_there_is_changes_nothing(self, rows: Rows) -> None:
        asked, left = Tally(), Tally()
        for part in in_parts(rows, 40_000):
            asked.add(part)
            asked.table()
            left.add(part)

        assert told(asked) == told(left)

    def test_the_whole_is_what_was_measured(self, rows: Rows) -> None:
        tally = Tally()
        tally.add(kept(rows))

        found = told(tally)[3]

        mine = rows.series == 3
        latency = rows.values[MEASURES.index("latency_ms"), mine]
        names = {each.name: each for each in found.metrics}
        assert (found.version, found.measurements) == ("v3", int(mine.sum()))
        assert names.keys() == {"faces", "latency_ms", QUEUE}
        assert names["latency_ms"].count == len(latency)
        counted = Counter(bins_of(latency).tolist())
        assert (
            dict(zip(names["latency_ms"].bins, names["latency_ms"].counts, strict=True)) == counted
        )
        assert names["faces"].count == int((rows.values[MEASURES.index("faces"), mine] == 2).sum())
        assert names[QUEUE].count == int(mine[rows.extras.rows].sum())

    def test_values_without_a_measurement_are_added_to_their_metric(self) -> None:
        tally = Tally()
        tally.add_values(np.array([2, 1, 2]), 1, np.array([4.0, 8.0, 5.0]))

        assert [
            (each.version, each.measurements, each.metrics[0].count, each.metrics[0].sum_whole)
            for each in told(tally)
        ] == [("v1", 0, 1, 8), ("v2", 0, 2, 9)]

    def test_what_was_told_of_the_same_rows_is_counted_all_the_same(self, rows: Rows) -> None:
        # Given rows that the newest measurements share with the bucket
        shared, alone, recent = Tally(), Tally(), Recent()
        for part in in_parts(rows, 40_000):
            shared.add(part)
            recent.add(part)
        # When they are told first, which lets go of them there
        assert list(recent.newest(sorted, metrics()))
        # Then
        alone.add(kept(rows))
        assert told(shared) == told(alone)

    def test_nothing_comes_to_nothing(self) -> None:
        assert told(Tally()) == []


class TestRecent:
    def test_the_newest_of_each_series_are_left_however_many_came(self, rows: Rows) -> None:
        recent = Recent()
        for part in in_parts(rows, 9_000):
            recent.add(part)

        found = list(recent.newest(lambda codes: sorted(codes, reverse=True), metrics()))

        assert [each.series for each in found] == list(range(SERIES, -1, -1))
        for each in found:
            newest = np.flatnonzero(rows.series == each.series)[-MOST:]
            assert each.offsets.tolist() == (newest + 5).tolist()
            assert each.times_ms.tolist() == (newest // 100).tolist()
            latency = rows.values[MEASURES.index("latency_ms"), newest]
            assert each.values[each.names.index("latency_ms")].tolist() == latency.tolist()
        of_three = found[SERIES - 3]
        queue = of_three.values[of_three.names.index(QUEUE)].tolist()
        measured = dict(zip(rows.extras.rows.tolist(), rows.extras.values.tolist(), strict=True))
        expected = [measured.get(row) for row in np.flatnonzero(rows.series == 3)[-MOST:].tolist()]
        assert [None if value != value else value for value in queue] == expected
