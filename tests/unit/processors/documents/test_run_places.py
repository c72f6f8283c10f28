"""Where runs lie in the log: what a report reads is bounded by its runs, not by the history."""

import pytest

from modeltrail.processors.documents.run_places import RunPlaces
from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.topics import key_of

OLD, NEW = ExperimentId("old"), ExperimentId("new")
RUNS = 1_000


def key(number: int) -> bytes:
    return key_of(RunId(f"run-{number}"))


@pytest.fixture
def places() -> RunPlaces:
    """A thousand runs of ten records in two partitions, one after the other; the last is new."""
    found = RunPlaces()
    for number in range(RUNS):
        partition = number % 2
        first = number // 2 * 10
        for offset in range(first, first + 10):
            found.met(key(number), partition, offset)
        found.began(key(number), NEW if number == RUNS - 1 else OLD, number * 1000)
    for partition in range(2):
        found.passed(partition, RUNS // 2 * 10)
    return found


def test_a_new_experiment_is_read_from_its_first_record_on(places: RunPlaces) -> None:
    keys = places.keys_of(NEW, 10**9)
    assert keys == {key(RUNS - 1)}
    assert list(places.spans(keys)) == [(1, 4990, 5000)]


def test_runs_of_several_partitions_have_a_span_in_each(places: RunPlaces) -> None:
    assert list(places.spans([key(2), key(7), key(4)])) == [(0, 10, 30), (1, 30, 40)]
    assert list(places.spans([b"unknown"])) == []


def test_what_comes_later_makes_a_span_longer(places: RunPlaces) -> None:
    places.met(key(2), 0, 7000)
    places.passed(0, 7001)
    assert list(places.spans([key(2)])) == [(0, 10, 7001)]
    assert places.following(0) == 7001


def test_a_run_that_had_not_begun_by_then_is_not_known(places: RunPlaces) -> None:
    assert places.experiment_of("run-5", 4999) == ExperimentId("run-5")
    assert places.experiment_of("run-5", 5000) == OLD
    assert places.experiment_of("never", 10**9) == ExperimentId("never")
    assert places.keys_of(OLD, 1000) == {key(0), key(1)}
    assert places.keys_of(ExperimentId("never"), 10**9) == frozenset()


def test_the_first_start_of_a_run_counts(places: RunPlaces) -> None:
    places.began(key(0), NEW, 10**6)
    assert places.experiment_of("run-0", 0) == OLD


def test_a_topic_that_was_made_anew_is_read_anew(places: RunPlaces) -> None:
    places.forget(1)
    assert places.following(1) == 0
    assert places.following(0) == 5000
    assert list(places.spans([key(1), key(2)])) == [(0, 10, 20)]
    assert places.keys_of(NEW, 10**9) == frozenset()
