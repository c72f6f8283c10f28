"""Makes Faust hand over a fetch of a partition as one event, and commit what its agent says.

Faust counts offsets one message at a time. Here a message stands for many, and its offset is that
of the last. The places where Faust would be misled by that are overridden below, each with the
reason; what they lean on in Faust and aiokafka is pinned by tests/unit/processors/batching.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage

from modeltrail.processors.batching.runs import FetchedResults, Int64s, Run

log = logging.getLogger(__name__)

#: Says, of a partition, from which offset its agent would have to resume; None: from where it did.
ResumeFrom = Callable[[int], int | None]

#: Batches that may wait for an agent; Faust would let 4,096 of them. It stops fetching at 4/5 of
#: this, and what it has then must find room: where it does not, all other topics wait as well.
BATCHES_AHEAD = 8
#: How many batches of all topics Faust takes at a time: its setting `broker_max_poll_records`.
BATCHES_A_POLL = 2
_BUFFERED_TIMEOUT_S = 0.01
#: The broker gathers records for so long, or until there are so many bytes of all partitions: what
#: a fetch costs by itself is as much as what 1,000 measurements cost.
_BROKER_WAIT_MS = 60
_BROKER_WAIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class FetchBatch:
    """Records of one partition that follow each other, columns in offset order.

    Within a generation of the consumer group the batches of a partition follow each other too,
    without a gap or a repetition, from the committed offset on.
    """

    topic: str
    partition: int
    generation: int
    offsets: Int64s
    appended_ms: Int64s
    values: list[bytes | None]


def use_batched_transport(app: Any, topics: Mapping[str, ResumeFrom | None]) -> None:
    """Let `app` read `topics` in batches; call it before the app has agents.

    Each is declared by `batched_topic` and read by one agent, without concurrency, that
    acknowledges the batches of a partition in order. The app's `broker_max_poll_records` must be
    BATCHES_A_POLL.

    Args:
        app: the Faust app.
        topics: by full name, what says how far a partition may be committed. It may lag behind
            what was acknowledged and never goes past it. None: all that was acknowledged.
    """
    app.transport = _Transport(app.conf.broker_consumer, app, topics)


def batched_topic(app: Any, name: str) -> Any:
    """The topic of which an agent of `app` gets a FetchBatch as each value."""
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_serializer="raw")
    # app.topic() takes a maxsize and forgets it.
    topic.maxsize = BATCHES_AHEAD
    return topic


class _Transport(driver.Transport):
    def __init__(self, url: Any, app: AppT, topics: Mapping[str, ResumeFrom | None]) -> None:
        super().__init__(url, app)
        self.batched = dict(topics)


class _Consumer(driver.Consumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The offset with which the next batch of a partition begins; None: wherever it does.
        self._next_offset: dict[TP, int | None] = {}
        self._sought: set[tuple[TP, int]] = set()
        # Partitions of which Faust has said that their buffer is full.
        self._pressed: set[TP] = set()
        super().__init__(*args, **kwargs)

    @property
    def batched(self) -> Mapping[str, ResumeFrom | None]:
        transport: Any = self.transport
        topics: Mapping[str, ResumeFrom | None] = transport.batched
        return topics

    def _new_consumer_thread(self) -> "_ConsumerThread":
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        # Faust asks for the partitions whose buffer has room; those that get room while it waits
        # for others would wait for a second.
        if self._buffered_partitions:
            timeout = min(timeout, _BUFFERED_TIMEOUT_S)
        dropped: set[TP] = set()
        tp: TP
        message: Any
        async for tp, message in super().getmany(timeout):
            if not isinstance(message.value, Run):
                yield tp, message
            elif tp in dropped or await self._sought_back(tp, message.value):
                dropped.add(tp)
            elif (batch := self._next_batch(tp, message)) is not None:
                message.value = batch
                # Faust would take the offsets inside for a gap, and commit past what is in flight.
                self._read_offset[tp] = message.offset - 1
                yield tp, message

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Run):
            return super()._to_message(tp, record)
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=int(record.offsets[-1]),
            timestamp=int(record.appended_ms[-1]) / 1000,
            timestamp_type=1,
            headers=[],
            key=None,
            value=record,  # type: ignore[arg-type]
            checksum=None,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _sought_back(self, tp: TP, run: Run) -> bool:
        """Go back for records before `run` that were fetched and then dropped by Faust."""
        expected = self._next_offset.get(tp)
        if expected is None or run.position <= expected:
            return False
        if (tp, expected) in self._sought:
            log.error("%s: offsets %d to %d are gone from the log", tp, expected, run.position - 1)
            return False
        self._sought.add((tp, expected))
        await self.seek_wait({tp: expected})
        return True

    def _next_batch(self, tp: TP, message: Any) -> FetchBatch | None:
        """What of a run was not handed on yet: around a rebalance Faust may read it twice."""
        run: Run | None = message.value.since(self._next_offset.get(tp) or 0)
        if run is None:
            return None
        self._next_offset[tp] = run.following
        return FetchBatch(
            tp.topic, tp.partition, message.generation_id, run.offsets, run.appended_ms, run.values
        )

    async def perform_seek(self) -> None:
        await super().perform_seek()
        self._sought.clear()
        self._next_offset.clear()
        for tp in self.assignment():
            if tp.topic in self.batched:
                self._next_offset[tp] = self._read_offset[tp]
                # The last ack stays here, and a batch that is read again may end with it.
                self._acked.pop(tp, None)
                self._acked_index.pop(tp, None)

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.batched:
            return super()._new_offset(tp)
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        # The last one stays: the agent may let it be committed long after its ack.
        acked[:] = [last]
        self._acked_index[tp].intersection_update(acked)
        resume_from = self.batched[tp.topic]
        if resume_from is None:
            return last + 1
        safe = resume_from(tp.partition)
        return None if safe is None else min(safe, last + 1)

    def on_buffer_full(self, tp: TP) -> None:
        self._pressed.add(tp)
        full = self._sharing_buffer(tp)
        # With no partition left to ask for, Faust sleeps for a second.
        if self._get_active_partitions() - full:
            for partition in full:
                super().on_buffer_full(partition)

    def on_buffer_drop(self, tp: TP) -> None:
        self._pressed.discard(tp)
        full = self._sharing_buffer(tp)
        # Faust says that a buffer is full once a partition, until it has said that it is not.
        if not self._pressed & full:
            for partition in full:
                super().on_buffer_drop(partition)

    def _sharing_buffer(self, tp: TP) -> set[TP]:
        """The partitions of a batched topic: its agent has one buffer for all of them."""
        if tp.topic not in self.batched:
            return {tp}
        return {partition for partition in self.assignment() if partition.topic == tp.topic}


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust says 1 byte and 1.5 s, during which a partition that is not in the request waits.
        consumer._fetch_max_wait_ms = _BROKER_WAIT_MS
        consumer._fetch_min_bytes = _BROKER_WAIT_BYTES
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        owner: Any = self.consumer
        # Nothing is assigned yet, so nothing has been fetched.
        self._ensure_consumer()._fetcher._records = FetchedResults(frozenset(owner.batched))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        # aiokafka leaves those without a committed offset where they are: what Faust has dropped
        # while a rebalance went on would be skipped.
        if unset := [tp for tp, offset in committed.items() if not offset or offset < 0]:
            await self.seek_to_beginning(*unset)
        return committed


_Transport.Consumer = _Consumer
