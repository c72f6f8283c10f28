"""Measures how long a measurement takes from append to row, at a steady rate."""

import bisect
import os
import subprocess
import sys
import threading
import time

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.topics import INFERENCE
from tests.bench.consuming import environment_of
from tests.bench.events import append, at_rate, captured, measurement_templates
from tests.waiting import eventually

RATE = 5_000
SECONDS = 20
_POLL_S = 0.02


def row_latencies(settings: Settings) -> list[float]:
    """Milliseconds from produce() until a query sees the row, for each event.

    The number of rows is polled every 20 ms; the k-th row is counted as seen with the poll that
    first counted k, which errs on the slow side by one poll.
    """
    command = [sys.executable, "-m", "modeltrail.infra.cli", "worker", "projector"]
    worker = subprocess.Popen(
        command, env=environment_of(settings), stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"
        produced: list[float] = []
        seen_at, seen = _watch(settings, produced)
    finally:
        worker.terminate()
        worker.wait(timeout=30)
    polls = [seen_at[bisect.bisect_left(seen, number + 1)] for number in range(len(produced))]
    pairs = zip(polls, sorted(produced), strict=True)
    return [(poll - at) * 1000 for poll, at in pairs]


def _watch(settings: Settings, produced: list[float]) -> tuple[list[float], list[int]]:
    seen_at: list[float] = []
    seen: list[int] = []
    client = make_client(settings.clickhouse)
    total = RATE * SECONDS
    thread = threading.Thread(target=_produce, args=(settings, produced), daemon=True)
    thread.start()

    def all_rows_are_there() -> bool:
        rows = client.execute("SELECT count() FROM measurements")[0][0]
        seen_at.append(time.perf_counter())
        seen.append(rows)
        return bool(rows >= total)

    eventually(all_rows_are_there, poll_s=_POLL_S)
    thread.join()
    return seen_at, seen


def _produce(settings: Settings, produced: list[float]) -> None:
    templates = measurement_templates(Codec(ConfluentSchemaIds(settings.schema_registry)))
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    producer = make_producer(settings.kafka)
    clock = SystemClock()
    for number in at_rate(RATE, RATE * SECONDS, producer):
        key, value = templates[number % len(templates)]
        append(producer, topic, key, captured(value, os.urandom(16), clock.now_us()))
        produced.append(time.perf_counter())
    producer.flush()
