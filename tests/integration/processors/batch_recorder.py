"""A Faust worker that writes down every batch it gets, and lets commits lag behind.

Arguments: brokers, topic, group, the file to append to, how many records commits lag, and how long
a batch takes, s.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import faust

from modeltrail.processors.batching import BATCHES_A_POLL, batched_topic, use_batched_transport


def main(brokers: str, topic: str, group: str, file: str, lag: str, pause: str) -> None:
    """Record until killed; the first line of a process is `started`."""
    safe: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder, Path(file).open("a", buffering=1) as record:
        app: Any = faust.App(
            group,
            broker=f"kafka://{brokers}",
            store="memory://",
            datadir=folder,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=32_768,
            broker_commit_interval=0.05,
            broker_session_timeout=6,
            broker_heartbeat_interval=1.5,
            broker_max_poll_records=BATCHES_A_POLL,
        )
        use_batched_transport(app, {topic: safe.get})
        record.write("started\n")

        @app.agent(batched_topic(app, topic))  # type: ignore[untyped-decorator]
        async def recorder(stream: Any) -> None:
            async for batch in stream:
                first, last = int(batch.offsets[0]), int(batch.offsets[-1])
                assert len(batch.values) == len(batch.offsets) == last - first + 1
                record.write(f"{batch.generation} {batch.partition} {first} {last}\n")
                safe[batch.partition] = max(last + 1 - int(lag), 0)
                # As slow as an agent with work to do, or nothing is left to be killed in.
                await asyncio.sleep(float(pause))

        asyncio.run(_forever(app))


async def _forever(app: Any) -> None:
    await app.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
