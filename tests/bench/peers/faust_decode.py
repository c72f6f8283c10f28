"""Times a plain Faust agent that only decodes, record by record."""

import asyncio
import io
import json
import sys
import tempfile
import time
from importlib.metadata import version
from typing import Any

import fastavro
import faust

HEADER_BYTES = 5


async def rate(brokers: str, topic: str, schema_file: str, count: int) -> float:
    """Events a second from the first to the last of `count`."""
    with open(schema_file) as file:
        schema = fastavro.parse_schema(json.load(file))
    app = faust.App(
        f"vanilla-{time.time_ns()}",
        broker=f"kafka://{brokers}",
        store="memory://",
        datadir=tempfile.mkdtemp(),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=10_000,
    )
    done = asyncio.Event()
    times: list[float] = []
    source = app.topic(topic, value_serializer="raw", key_type=bytes, key_serializer="raw")

    @app.agent(source)
    async def decode(stream: Any) -> None:
        async for value in stream:
            times.append(time.perf_counter())
            datum = io.BytesIO(value)
            datum.seek(HEADER_BYTES)
            fastavro.schemaless_reader(datum, schema, None)
            if len(times) >= count:
                done.set()

    await app.start()
    await asyncio.wait_for(done.wait(), timeout=300)
    await app.stop()
    return (count - 1) / (times[count - 1] - times[0])


if __name__ == "__main__":
    found = asyncio.run(rate(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
    print(json.dumps({"rate": found, "version": version("faust-streaming")}))
