"""What is told of many series comes in facts of a bounded size, each where its models are held."""

from collections.abc import Sequence

import numpy as np
import pytest

from modeltrail.processors.windows.chunks import MOST_BYTES, chunked
from modeltrail.processors.windows.columns import Codes, Extras, Rows, metric_codes
from modeltrail.processors.windows.cuts import Bucket, Place, decided_partials, newest_measured
from modeltrail.processors.windows.kept import kept
from modeltrail.processors.windows.recent import Recent
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.codec import encode_datum
from modeltrail.schemas.events import OfManySeries, PartialWindows, RecentMeasurements
from modeltrail.schemas.ids import (
    LONGEST_ID,
    LONGEST_METRIC_NAME,
    MOST_DECLARED_METRICS,
    ModelId,
    Version,
)
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import WINDOWS, key_of

PARTITIONS = 3
MODELS = 200
ROWS = 20_000


def chunks(*items: tuple[int, int, str]) -> list[tuple[int, int, str]]:
    return [(chunk.number, chunk.partition, "".join(found)) for chunk, found in chunked(items)]


class TestChunks:
    def test_what_is_small_is_told_together(self) -> None:
        assert chunks((2, 10, "a"), (2, 20, "b")) == [(0, 2, "ab")]

    def test_each_chunk_is_for_one_partition(self) -> None:
        assert chunks((0, 1, "a"), (1, 1, "b"), (1, 1, "c")) == [(0, 0, "a"), (1, 1, "bc")]

    def test_a_chunk_is_full_before_it_has_too_many_bytes(self) -> None:
        half = MOST_BYTES // 2

        assert chunks((0, half, "a"), (0, half, "b"), (0, 1, "c")) == [(0, 0, "ab"), (1, 0, "c")]

    def test_what_is_larger_than_a_chunk_is_told_alone(self) -> None:
        assert chunks((0, 1, "a"), (0, MOST_BYTES + 1, "b"), (0, 1, "c")) == [
            (0, 0, "a"),
            (1, 0, "b"),
            (2, 0, "c"),
        ]

    def test_of_nothing_nothing_is_told(self) -> None:
        assert chunks() == []


def many_rows(extra_names: Sequence[str], metrics: Codes[str]) -> Rows:
    """Measurements of 200 models; the first of each has as many of the extra metrics as it may."""
    chance = np.random.default_rng(7)
    numbers = np.arange(ROWS)
    extras = np.array([metrics.of(name) for name in extra_names], dtype=np.int64)
    return Rows(
        numbers,
        numbers,
        numbers,
        numbers % MODELS,
        numbers,
        chance.gamma(2, 20, (len(MEASURES), ROWS)),
        Extras(np.arange(len(extras)) // MOST_DECLARED_METRICS, extras, np.ones(len(extras))),
    )


def told(
    kind: str,
    version_environment_arm: tuple[str, str, str] = ("v1.0.0", "production", "champion"),
    extra_names: Sequence[str] = (),
) -> list[OfManySeries]:
    """What a partition tells of 200 models at its cut."""
    version, environment, arm = version_environment_arm
    series: Codes[Series] = Codes(
        (ModelId(f"model-{n}"), Version(version), environment, arm) for n in range(MODELS)
    )
    place = Place(0, PARTITIONS, series, metric_codes())
    rows = kept(many_rows(extra_names, place.metrics))
    if kind == "partials":
        bucket = Bucket()
        bucket.tally.add(rows)
        return list(decided_partials(place, 0, bucket))
    recent = Recent()
    recent.add(rows)
    return list(newest_measured(place, 0, recent, 0))


@pytest.mark.parametrize("kind", ["partials", "newest"])
class TestFactsOfManySeries:
    def test_each_series_is_told_once_where_its_model_is_held(self, kind: str) -> None:
        facts = told(kind)

        assert WINDOWS.key == "model_id"
        for fact in facts:
            held_by = {partition_of(key_of(model), PARTITIONS) for model in fact.model_ids}
            assert held_by == {fact.partition}
        assert sorted(model for fact in facts for model in fact.model_ids) == sorted(
            f"model-{n}" for n in range(MODELS)
        )
        assert len({fact.event_id for fact in facts}) == len(facts)

    def test_facts_are_few_and_none_is_larger_than_a_chunk(self, kind: str) -> None:
        sizes = [len(encode_datum(fact)) for fact in told(kind)]

        assert len(sizes) < MODELS / 4
        assert max(sizes) < 1.1 * MOST_BYTES

    @pytest.mark.parametrize("letter", ["v", "版"], ids=["1 byte", "3 bytes"])
    def test_none_is_larger_where_names_are_as_long_as_they_may_be(
        self, kind: str, letter: str
    ) -> None:
        name = letter * LONGEST_ID

        sizes = [len(encode_datum(fact)) for fact in told(kind, (name, name, name))]

        assert max(sizes) < 1.1 * MOST_BYTES

    def test_none_is_larger_where_each_series_has_metrics_with_names_of_its_own(
        self, kind: str
    ) -> None:
        names = [
            f"{number:05}" + "量" * (LONGEST_METRIC_NAME - 5)
            for number in range(MODELS * MOST_DECLARED_METRICS)
        ]

        facts = told(kind, extra_names=names)

        found = {name for fact in facts for name in metric_names(fact)}
        assert found == {*names, *MEASURES}
        assert max(len(encode_datum(fact)) for fact in facts) < 1.1 * MOST_BYTES


def metric_names(fact: OfManySeries) -> tuple[str, ...]:
    assert isinstance(fact, PartialWindows | RecentMeasurements)
    return fact.metric_names
