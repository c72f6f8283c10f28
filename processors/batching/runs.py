"""Cuts what aiokafka has fetched from a partition into runs of records, as columns.

aiokafka makes two objects for every record, which takes five times as long as reading it. Here its
compiled parser is asked for offset and value alone, one record batch at a time, and the runs take
the place of the records in the fetcher: what it does about positions, errors and rebalances stays.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from numpy.typing import NDArray

from modeltrail.schemas.errors import ModeltrailError

#: A run ends with the record batch that brings it here. Producers put at most 10,000 records into a
#: batch, so a run has about as many: enough for columns to pay, 2 MB of measurements.
ENOUGH_RECORDS = 5_000
_LOG_APPEND_TIME = 1

Int64s = NDArray[np.int64]


class CreateTimeTopic(ModeltrailError):
    """The topic's records carry no append time."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Records of one partition that follow each other, each column in offset order.

    `position` is the offset that was asked for and `following` the next one to ask for: offsets
    between them that are not here hold no record.
    """

    position: int
    following: int
    offsets: Int64s
    appended_ms: Int64s
    values: list[bytes | None]

    def since(self, offset: int) -> "Run | None":
        """The part from `offset` on; None where there is none."""
        if offset <= self.position:
            return self
        skipped = int(np.searchsorted(self.offsets, offset))
        if skipped == len(self.offsets):
            return None
        return Run(
            offset,
            self.following,
            self.offsets[skipped:],
            self.appended_ms[skipped:],
            self.values[skipped:],
        )


class RunsOfPartition:
    """Gives runs where aiokafka's fetcher expects the records of a partition."""

    def __init__(self, records: PartitionRecords) -> None:
        self.next_fetch_offset: int = records.next_fetch_offset
        self._tp = records._tp
        self._batches = records._records
        self._check_crcs = records._check_crcs
        # It and its generator refer to each other, and would keep the fetch's megabyte until the
        # garbage collector comes by: hundreds of them.
        records._records_iterator = records._records = None

    def __iter__(self) -> "RunsOfPartition":
        return self

    def __next__(self) -> Run:
        position = self.next_fetch_offset
        parts: list[Run] = []
        while self._batches.has_next() and sum(len(part.values) for part in parts) < ENOUGH_RECORDS:
            batch = self._batches.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            # Markers of transactions hold nothing, but are passed.
            if not batch.is_control_batch:
                # A fetch begins with the whole batch that holds the offset asked for.
                part = self._read(batch).since(position)
                parts += [part] if part else []
            self.next_fetch_offset = batch.next_offset
        if not parts:
            raise StopIteration
        return _joined(position, self.next_fetch_offset, parts)

    def _read(self, batch: Any) -> Run:
        if batch.timestamp_type != _LOG_APPEND_TIME:
            raise CreateTimeTopic(
                f"topic {self._tp.topic} does not say when records were appended: set its "
                "message.timestamp.type to LogAppendTime"
            )
        values: list[bytes | None] = []
        add = values.append
        # One pass: the parser's records die young, which spares the garbage collector.
        offsets = np.fromiter((add(record.value) or record.offset for record in batch), np.int64)
        times = np.full(len(values), batch.max_timestamp, np.int64)
        return Run(batch.base_offset, batch.next_offset, offsets, times, values)


def _joined(position: int, following: int, parts: list[Run]) -> Run:
    return Run(
        position,
        following,
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.appended_ms for part in parts]),
        [value for part in parts for value in part.values],
    )


class FetchedResults(OrderedDict[Any, Any]):
    """What a fetcher holds by partition; results of batched topics give runs, not records."""

    def __init__(self, topics: frozenset[str]) -> None:
        super().__init__()
        self._topics = topics

    def __setitem__(self, tp: Any, result: Any) -> None:
        if tp.topic in self._topics and isinstance(result, FetchResult):
            result._partition_records = RunsOfPartition(result._partition_records)
        super().__setitem__(tp, result)
