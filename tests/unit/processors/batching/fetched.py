"""Makes what a broker answers to a fetch: record batches with append times."""

import struct

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

PARTITION = TopicPartition("measured", 1)
_CRC, _ATTRIBUTES, _MAX_TIMESTAMP = 17, 21, 35
_LOG_APPEND_TIME, _CONTROL = 0x08, 0x20


def record_batch(
    first: int,
    values: list[bytes | None],
    appended_ms: int = 0,
    *,
    offsets: list[int] | None = None,
    attributes: int = _LOG_APPEND_TIME,
) -> bytes:
    """A record batch as the broker keeps it, its records from offset `first` on."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 24)
    for number, value in enumerate(values):
        offset = offsets[number] - first if offsets else number
        assert builder.append(offset, 1, b"key", value, [("trace", b"1")])
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, first)
    struct.pack_into(">h", raw, _ATTRIBUTES, attributes)
    struct.pack_into(">q", raw, _MAX_TIMESTAMP, appended_ms)
    struct.pack_into(">I", raw, _CRC, calc_crc32c(bytes(raw[_ATTRIBUTES:])))
    return bytes(raw)


def control_batch(first: int) -> bytes:
    """The marker that ends a transaction."""
    return record_batch(first, [b"commit"], attributes=_LOG_APPEND_TIME | _CONTROL)


def partition_records(fetch_offset: int, *batches: bytes) -> PartitionRecords:
    """What the fetcher makes of an answer."""
    return PartitionRecords(
        PARTITION, MemoryRecords(b"".join(batches)), None, fetch_offset, None, None, True, 0
    )
