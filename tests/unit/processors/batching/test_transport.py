"""Batches reach Faust whole, in order and once; what is committed is what the agent says."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import faust
import numpy as np
import pytest
from faust.types import TP

from modeltrail.processors.batching import (
    BATCHES_A_POLL,
    FetchBatch,
    batched_topic,
    use_batched_transport,
)
from modeltrail.processors.batching.runs import FetchedResults, Run

MEASURED, REGISTRY = TP("measured", 0), TP("registry", 0)
SECOND = TP("measured", 1)


def run_of(first: int, count: int) -> Run:
    offsets = np.arange(first, first + count)
    return Run(first, first + count, offsets, 1000 + offsets, [b"%d" % n for n in offsets])


def record(offset: int) -> Any:
    return SimpleNamespace(
        topic=REGISTRY.topic, partition=0, offset=offset, timestamp=1, timestamp_type=1,
        headers=(), key=b"k", value=b"v", checksum=None, serialized_key_size=1,
        serialized_value_size=1,
    )  # fmt: skip


@dataclass
class ConsumerThread:
    """The thread that owns aiokafka's consumer: gives what it was told to, and notes seeks."""

    assigned: set[TP]
    fetches: list[dict[TP, list[Any]]] = field(default_factory=list)
    committed: dict[TP, int | None] = field(default_factory=dict)
    sought: list[dict[TP, int]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    commits: list[dict[TP, int]] = field(default_factory=list)

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        self.timeouts.append(timeout)
        return self.fetches.pop(0) if self.fetches else {}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return {tp: self.committed.get(tp) for tp in self.assigned}

    async def seek_wait(self, partitions: dict[TP, int]) -> None:
        self.sought.append(dict(partitions))

    async def commit(self, offsets: dict[TP, int]) -> bool:
        self.commits.append(dict(offsets))
        return True

    def assignment(self) -> set[TP]:
        return self.assigned

    def highwater(self, tp: TP) -> int:
        return 0


class Worker:
    """A Faust consumer of ours, assigned and running, over a thread that is made up."""

    def __init__(self, *assigned: TP) -> None:
        self.safe: dict[int, int | None] = {}
        app = cast(Any, faust.App("test", broker="kafka://127.0.0.1:9", store="memory://"))
        use_batched_transport(app, {MEASURED.topic: self.safe.get})
        self.delivered: list[Any] = []
        self.consumer = app.transport.create_consumer(
            callback=self._deliver,
            on_partitions_revoked=self._nothing,
            on_partitions_assigned=self._nothing,
        )
        self.consumer._thread.thread_loop.close()
        self.thread = ConsumerThread(set(assigned))
        self.consumer._thread = self.thread
        self.app = app
        app.topics._acking_topics.update({MEASURED.topic, REGISTRY.topic})
        app.consumer_generation_id = 1
        app.producer.flush = self._nothing
        self.consumer._set_active_tps(set(assigned))

    async def _deliver(self, message: Any) -> None:
        self.delivered.append(message)

    async def _nothing(self, *_: Any, **__: Any) -> None: ...

    async def started(self) -> "Worker":
        await self.consumer.perform_seek()
        return self

    async def take(self, *fetches: dict[TP, list[Any]]) -> list[Any]:
        """What Faust's own loop hands on of some fetches."""
        self.thread.fetches += fetches
        before = len(self.delivered)
        stopped = SimpleNamespace(is_set=lambda: not self.thread.fetches)
        await self.consumer._drain_messages(SimpleNamespace(_stopped=stopped))
        return self.delivered[before:]

    def ack(self, *messages: Any) -> None:
        for message in messages:
            message.incref()
            message.ack(self.consumer)

    async def commit(self) -> dict[TP, int]:
        before = len(self.thread.commits)
        await self.consumer.commit()
        return {tp: o for made in self.thread.commits[before:] for tp, o in made.items()}


def check(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


def offsets(messages: list[Any]) -> list[list[int]]:
    return [message.value.offsets.tolist() for message in messages]


def test_a_fetch_of_a_partition_is_one_event() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        (message,) = await worker.take({MEASURED: [run_of(0, 3)]})
        batch = message.value
        assert isinstance(batch, FetchBatch)
        assert (batch.topic, batch.partition, batch.generation) == ("measured", 0, 1)
        assert batch.offsets.tolist() == [0, 1, 2]
        assert batch.appended_ms.tolist() == [1000, 1001, 1002]
        assert batch.values == [b"0", b"1", b"2"]
        assert (message.offset, message.key, message.timestamp) == (2, None, 1.002)

    check(work)


def test_other_topics_are_read_record_by_record() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED, REGISTRY).started()
        got = await worker.take({REGISTRY: [record(0), record(1)], MEASURED: [run_of(0, 3)]})
        assert sorted((m.topic, m.offset) for m in got) == [
            ("measured", 2),
            ("registry", 0),
            ("registry", 1),
        ]

    check(work)


def test_faust_sees_no_gap_between_batches() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        worker.safe[0] = 1000
        first, second = await worker.take({MEASURED: [run_of(0, 50), run_of(50, 50)]})
        assert not worker.consumer._gap[MEASURED]
        worker.ack(first)
        assert await worker.commit() == {MEASURED: 50}
        worker.ack(second)
        assert await worker.commit() == {MEASURED: 100}

    check(work)


def test_what_is_read_twice_around_a_rebalance_comes_once() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        got = await worker.take(
            {MEASURED: [run_of(0, 5)]}, {MEASURED: [run_of(0, 5)]}, {MEASURED: [run_of(3, 4)]}
        )
        assert offsets(got) == [[0, 1, 2, 3, 4], [5, 6]]

    check(work)


def test_what_faust_dropped_is_read_again() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        got = await worker.take(
            {MEASURED: [run_of(0, 5)]},
            {MEASURED: [run_of(8, 5), run_of(13, 5)]},
            {MEASURED: [run_of(5, 8)]},
            {MEASURED: [run_of(13, 5)]},
        )
        assert worker.thread.sought == [{MEASURED: 5}]
        assert [n for batch in offsets(got) for n in batch] == list(range(18))

    check(work)


def test_what_is_gone_from_the_log_is_told_and_passed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        got = await worker.take(
            {MEASURED: [run_of(0, 5)]}, {MEASURED: [run_of(8, 2)]}, {MEASURED: [run_of(8, 2)]}
        )
        assert offsets(got) == [[0, 1, 2, 3, 4], [8, 9]]
        assert "offsets 5 to 7 are gone from the log" in caplog.text

    check(work)


def test_reading_starts_at_the_committed_offset() -> None:
    async def work() -> None:
        worker = Worker(MEASURED)
        worker.thread.committed[MEASURED] = 4
        await worker.started()
        # The broker gives the whole batch that holds the offset.
        got = await worker.take({MEASURED: [run_of(4, 3)]})
        assert offsets(got) == [[4, 5, 6]]
        worker.consumer._next_offset[MEASURED] = 4
        assert await worker.take({MEASURED: [run_of(9, 3)]}) == []
        assert worker.thread.sought == [{MEASURED: 4}]

    check(work)


def test_a_new_generation_reads_from_the_committed_offset_again() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        (first,) = await worker.take({MEASURED: [run_of(0, 5)]})
        worker.ack(first)
        worker.app.consumer_generation_id = 2
        await worker.consumer.perform_seek()
        (again,) = await worker.take({MEASURED: [run_of(0, 5)]})
        assert again.value.generation == 2
        # The same last offset must count as acknowledged anew.
        assert await worker.commit() == {}
        worker.ack(again)
        worker.safe[0] = 5
        assert await worker.commit() == {MEASURED: 5}
        assert again not in worker.consumer._unacked_messages

    check(work)


def test_a_commit_lags_as_the_agent_says() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED, SECOND).started()
        got = await worker.take({MEASURED: [run_of(0, 100)], SECOND: [run_of(0, 10)]})
        worker.ack(*got)
        assert await worker.commit() == {}
        worker.safe = {0: 40}
        worker.app.transport.batched[MEASURED.topic] = worker.safe.get
        assert await worker.commit() == {MEASURED: 40}
        # No ack since: the agent's offset alone moves on, also of the other partition.
        worker.safe |= {0: 70, 1: 10}
        assert await worker.commit() == {MEASURED: 70, SECOND: 10}
        assert await worker.commit() == {}

    check(work)


def test_a_commit_never_passes_what_was_acknowledged() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED).started()
        worker.safe[0] = 1_000_000
        first, _second = await worker.take({MEASURED: [run_of(0, 10), run_of(10, 10)]})
        assert await worker.commit() == {}
        worker.ack(first)
        assert await worker.commit() == {MEASURED: 10}

    check(work)


def test_partitions_whose_buffer_was_full_are_looked_at_soon() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED, SECOND, REGISTRY).started()
        await worker.take({})
        worker.consumer.on_buffer_full(MEASURED)
        await worker.take({})
        assert worker.thread.timeouts[0] == 1.0
        assert worker.thread.timeouts[1] < 0.1

    check(work)


def test_partitions_that_share_a_full_buffer_are_not_asked_for_until_it_has_room() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED, SECOND, REGISTRY).started()
        worker.consumer.on_buffer_full(MEASURED)
        assert worker.consumer._get_active_partitions() == {REGISTRY}
        worker.consumer.on_buffer_full(SECOND)
        worker.consumer.on_buffer_drop(MEASURED)
        assert worker.consumer._get_active_partitions() == {REGISTRY}
        worker.consumer.on_buffer_drop(SECOND)
        assert worker.consumer._get_active_partitions() == {MEASURED, SECOND, REGISTRY}

    check(work)


def test_some_partition_is_always_asked_for() -> None:
    async def work() -> None:
        worker = await Worker(MEASURED, SECOND).started()
        worker.consumer.on_buffer_full(MEASURED)
        assert worker.consumer._get_active_partitions() == {MEASURED, SECOND}

    check(work)


def test_a_buffer_that_is_full_soon_has_room_for_what_was_taken_already() -> None:
    async def work() -> None:
        topic = batched_topic(Worker(MEASURED).app, MEASURED.topic)
        # An agent reads from a clone.
        buffer = topic.clone(is_iterator=True).queue
        assert buffer.maxsize == 8
        assert buffer.pressure_high_size + BATCHES_A_POLL <= buffer.maxsize

    check(work)


class Driver:
    """aiokafka's consumer as the thread of ours uses it."""

    def __init__(self, committed: dict[TP, int | None]) -> None:
        self._fetcher = SimpleNamespace(_records=None)
        self._committed = committed
        self.to_beginning: list[TP] = []

    async def start(self) -> None: ...

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return self._committed

    async def seek_to_beginning(self, *partitions: TP) -> None:
        self.to_beginning += partitions


@contextmanager
def thread_over(aiokafka: Driver) -> Iterator[Any]:
    """The thread of ours with another consumer of aiokafka in it."""
    thread = Worker(MEASURED).consumer._new_consumer_thread()

    async def call_at_once(work: Any, *args: Any) -> Any:
        return await work(*args)

    thread._create_consumer = lambda loop: aiokafka
    thread.call_thread = call_at_once
    yield thread
    thread.thread_loop.close()


def test_the_fetcher_cuts_runs_for_batched_topics() -> None:
    async def work() -> None:
        aiokafka = Driver({})
        with thread_over(aiokafka) as thread:
            await thread.on_start()
        records: Any = aiokafka._fetcher._records
        assert isinstance(records, FetchedResults)
        assert records._topics == {MEASURED.topic}

    check(work)


def test_partitions_without_a_committed_offset_are_read_from_their_beginning() -> None:
    async def work() -> None:
        aiokafka = Driver({MEASURED: None, SECOND: 7, REGISTRY: -1})
        with thread_over(aiokafka) as thread:
            await thread.on_start()
            assert await thread.seek_to_committed() == aiokafka._committed
        assert aiokafka.to_beginning == [MEASURED, REGISTRY]

    check(work)
