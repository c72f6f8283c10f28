"""What the batched transport leans on in Faust and aiokafka is what it was read to be.

An upgrade that changes one of these sources fails here. Read what changed, then `transport.py` and
`runs.py`, and only then take the new digest over.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from aiokafka.record.default_records import DefaultRecordBatch
from faust.channels import Channel
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from mode.utils.queues import FlowControlQueue

SOURCES: dict[Callable[..., Any], str] = {
    Consumer.getmany: "4b168d84882a70d6",
    Consumer._wait_next_records: "6218e1969a636b3f",
    Consumer._drain_messages: "44a2500309e83c63",
    Consumer._new_offset: "1d2c7ea89a7ad4f1",
    Consumer._filter_tps_with_pending_acks: "f6f9239774234e7e",
    Consumer._should_commit: "5ce941793947ad42",
    Consumer.ack: "5fcf41cf45153475",
    Consumer.perform_seek: "0e8c130ff4b0afd8",
    Consumer.on_partitions_revoked: "d04b7ae72c6fc206",
    Consumer.on_buffer_full: "c8961679e0bcdce5",
    Consumer.on_buffer_drop: "4b57e8a418d5ad9c",
    Consumer.wait_empty: "e4662fe24f094819",
    AIOKafkaConsumerThread.on_start: "38b4e8bd1e10723a",
    AIOKafkaConsumerThread._create_worker_consumer: "c2701bfc3e6f6cad",
    AIOKafkaConsumerThread.getmany: "26fc5fc9f3b667e1",
    AIOKafkaConsumerThread._fetch_records: "39a2c6c79fc1455a",
    AIOKafkaConsumerThread.seek_to_committed: "775ab0adc4b052ab",
    AIOKafkaConsumerThread._seek_wait: "9d221e816d940467",
    AIOKafkaConsumerThread._commit: "932852ce7a23f658",
    Recovery._resume_streams: "d986a6710c1aca98",
    cast(Any, Channel.queue).fget: "549dd774f3e314a7",
    FlowControlQueue.put_nowait_enhanced: "f1839f43dda3d2cf",
    FlowControlQueue.maybe_endorse_pressure_drop: "dafd855ef5a0f61d",
    Producer.send: "0b5bd08f52e5e2a9",
    Fetcher.__init__: "bf21ecb7e0f210b7",
    Fetcher._fetch_requests_routine: "2a8ec5932644c9b0",
    Fetcher._get_actions_per_node: "1dab2cf937d165d0",
    Fetcher._proc_fetch_request: "59bf948fff47eed5",
    Fetcher.fetched_records: "be4348896b9b66af",
    Fetcher.seek_to: "f0ba6aba6c22ef83",
    FetchResult.check_assignment: "b5340df67e3f330f",
    FetchResult.getall: "3e717e30de5068d5",
    PartitionRecords.__init__: "8ec1c2ae6ea1af87",
    PartitionRecords._unpack_records: "b803e6d46480732c",
    Sender._sender_routine: "2380dc5e333d9ebd",
    Sender._send_produce_req: "aea01ae4b6c794cc",
    MessageAccumulator.reenqueue: "f75f518a1ae27ade",
    MessageAccumulator.drain_by_nodes: "fc995afbfc5718e2",
}


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize("function", SOURCES, ids=lambda function: function.__qualname__)
def test_the_source_is_the_one_that_was_read(function: Callable[..., Any]) -> None:
    assert digest(function) == SOURCES[function]


def test_records_are_parsed_by_the_compiled_extension() -> None:
    """In Python it would take thirty times as long."""
    assert DefaultRecordBatch.__module__ == "aiokafka.record._crecords.default_records"
