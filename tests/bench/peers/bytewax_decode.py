"""Times a Bytewax dataflow that reads a topic from Kafka and only decodes; in its environment."""

import io
import json
import sys
import time
from importlib.metadata import version
from typing import Any

import fastavro
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

BROKERS, TOPIC, SCHEMA_FILE, COUNT = sys.argv[1:]
with open(SCHEMA_FILE) as file:
    SCHEMA = fastavro.parse_schema(json.load(file))
HEADER_BYTES = 5


def decode(message: Any) -> Any:
    """One event, one call, as its own examples do it."""
    stream = io.BytesIO(message.value)
    stream.seek(HEADER_BYTES)
    return fastavro.schemaless_reader(stream, SCHEMA)


class Counting(StatelessSinkPartition):  # type: ignore[misc]
    """Counts and times what arrives."""

    def __init__(self) -> None:
        self.seen = 0
        self.began = self.ended = 0.0

    def write_batch(self, items: list[Any]) -> None:
        """Take what was decoded."""
        self.began = self.began or time.perf_counter()
        self.seen += len(items)
        self.ended = time.perf_counter()


SINK = Counting()


class Sink(DynamicSink):  # type: ignore[misc]
    """Gives the one sink."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Counting:
        """The sink of this worker."""
        return SINK


flow = Dataflow("decode")
source = KafkaSource([BROKERS], [TOPIC], tail=False, batch_size=10_000)
decoded = op.map("decode", op.input("in", flow, source), decode)
op.output("out", decoded, Sink())
run_main(flow)
assert SINK.seen == int(COUNT), SINK.seen
print(json.dumps({"rate": SINK.seen / (SINK.ended - SINK.began), "version": version("bytewax")}))
