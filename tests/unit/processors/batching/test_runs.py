"""Fetched record batches become columns: each record once, in order, and the position follows."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchError, FetchResult
from aiokafka.errors import CorruptRecordException

from modeltrail.processors.batching.runs import (
    ENOUGH_RECORDS,
    CreateTimeTopic,
    FetchedResults,
    Run,
    RunsOfPartition,
)
from tests.unit.processors.batching.fetched import (
    PARTITION,
    control_batch,
    partition_records,
    record_batch,
)


def runs(fetch_offset: int, *batches: bytes) -> list[Run]:
    return list(RunsOfPartition(partition_records(fetch_offset, *batches)))


def values(count: int) -> list[bytes | None]:
    return [b"%d" % number for number in range(count)]


def test_a_run_has_the_offsets_append_times_and_values_of_its_records() -> None:
    (run,) = runs(7, record_batch(7, [b"a", None], 1000), record_batch(9, [b""], 1010))

    assert run.offsets.tolist() == [7, 8, 9]
    assert run.appended_ms.tolist() == [1000, 1000, 1010]
    assert run.values == [b"a", None, b""]
    assert (run.position, run.following) == (7, 10)


def test_a_fetch_that_begins_inside_a_batch_gives_no_record_before_its_offset() -> None:
    (run,) = runs(2, record_batch(0, values(5)))
    assert run.offsets.tolist() == [2, 3, 4]
    assert run.values == [b"2", b"3", b"4"]
    assert run.position == 2


def test_a_run_ends_with_the_batch_that_makes_it_long_enough() -> None:
    small = [record_batch(first, values(100)) for first in range(0, ENOUGH_RECORDS + 300, 100)]
    sizes = [len(run.values) for run in runs(0, *small)]
    assert sizes == [ENOUGH_RECORDS, 300]


def test_offsets_that_hold_no_record_are_passed() -> None:
    (run,) = runs(0, record_batch(0, values(3), offsets=[0, 3, 7]), record_batch(8, [b"x"]))
    assert run.offsets.tolist() == [0, 3, 7, 8]


def test_a_fetch_leaves_memory_with_what_was_made_of_it() -> None:
    records = partition_records(0, record_batch(0, values(3)))
    fetched = weakref.ref(records)

    taken_over = RunsOfPartition(records)
    gc.disable()
    try:
        del records
        assert fetched() is None
    finally:
        gc.enable()

    assert [len(run.values) for run in taken_over] == [3]


def test_markers_of_transactions_are_passed_and_hold_nothing() -> None:
    (run,) = runs(0, control_batch(0), record_batch(1, values(2)), control_batch(3))
    assert run.offsets.tolist() == [1, 2]
    assert (run.position, run.following) == (0, 4)


def test_a_fetch_of_markers_alone_moves_the_position_on() -> None:
    records = RunsOfPartition(partition_records(4, control_batch(4)))
    assert list(records) == []
    assert records.next_fetch_offset == 5


def test_a_batch_that_was_damaged_is_refused() -> None:
    raw = bytearray(record_batch(0, values(3)))
    raw[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        runs(0, bytes(raw))


def test_a_topic_without_append_times_is_refused() -> None:
    with pytest.raises(CreateTimeTopic, match=r"topic measured .* LogAppendTime"):
        runs(0, record_batch(0, values(1), attributes=0))


@pytest.mark.parametrize(
    ("offset", "left"), [(0, [4, 6, 9]), (4, [4, 6, 9]), (5, [6, 9]), (9, [9]), (10, None)]
)
def test_a_run_can_be_had_from_an_offset_on(offset: int, left: list[int] | None) -> None:
    (run,) = runs(3, record_batch(3, values(3), offsets=[4, 6, 9]))
    rest = run.since(offset)
    assert (rest.offsets.tolist() if rest else None) == left
    assert rest is None or len(rest.values) == len(rest.appended_ms) == len(rest.offsets)


class Assignment:
    """What aiokafka knows of the assigned partition."""

    active = True

    def __init__(self, position: int) -> None:
        self.state = SimpleNamespace(position=position, paused=False, consumed_to=self.consumed_to)

    def state_value(self, tp: Any) -> Any:
        return self.state

    def consumed_to(self, position: int) -> None:
        self.state.position = position


def result(assignment: Assignment, *batches: bytes) -> FetchResult:
    records = partition_records(assignment.state.position, *batches)
    return FetchResult(PARTITION, assignment=assignment, partition_records=records, backoff=0)


def test_the_fetcher_takes_runs_as_if_they_were_records() -> None:
    assignment = Assignment(position=0)
    results = FetchedResults(frozenset([PARTITION.topic]))
    batches = [record_batch(0, values(ENOUGH_RECORDS)), record_batch(ENOUGH_RECORDS, values(9))]
    results[PARTITION] = result(assignment, *batches)

    (first,) = results[PARTITION].getall(1)
    assert assignment.state.position == first.following == ENOUGH_RECORDS
    (second,) = results[PARTITION].getall(5)
    assert len(second.values) == 9
    assert assignment.state.position == ENOUGH_RECORDS + 9
    assert not results[PARTITION].has_more()


def test_other_topics_and_errors_stay_as_they_are() -> None:
    results = FetchedResults(frozenset(["another"]))
    results[PARTITION] = result(Assignment(position=0), record_batch(0, [b"x"]))
    (record,) = results[PARTITION].getall()
    assert record.value == b"x"

    error = FetchError(error=ValueError(), backoff=0)
    results[PARTITION] = error
    assert results[PARTITION] is error
