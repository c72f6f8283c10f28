"""Times a Quix Streams application that only decodes; runs in its own environment."""

import io
import json
import sys
import time
from importlib.metadata import version
from typing import Any

import fastavro
from quixstreams import Application

BROKERS, TOPIC, SCHEMA_FILE, COUNT = sys.argv[1:]
with open(SCHEMA_FILE) as file:
    SCHEMA = fastavro.parse_schema(json.load(file))
HEADER_BYTES = 5
TIMES: list[float] = []


def decode(value: bytes) -> Any:
    """One event, one call."""
    TIMES.append(time.perf_counter())
    stream = io.BytesIO(value)
    stream.seek(HEADER_BYTES)
    return fastavro.schemaless_reader(stream, SCHEMA)


app = Application(
    broker_address=BROKERS,
    consumer_group=f"quix-{time.time_ns()}",
    auto_offset_reset="earliest",
    loglevel="WARNING",
)
app.dataframe(app.topic(TOPIC, value_deserializer="bytes")).apply(decode)
app.run(count=int(COUNT), timeout=120)
assert len(TIMES) >= int(COUNT), len(TIMES)
rate = (len(TIMES) - 1) / (TIMES[-1] - TIMES[0])
print(json.dumps({"rate": rate, "version": version("quixstreams")}))
