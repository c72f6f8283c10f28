"""Measures how fast measurements leave the log: bare consume(), and the projector into SQL."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_consumer
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.state import load_state
from modeltrail.schemas.topics import INFERENCE
from tests.waiting import eventually

BATCH = 10_000
# Pinned: the ceiling depends on how much librdkafka prefetches.
CONSUMER = {
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.message.max.bytes": 1_048_576,
    "fetch.wait.max.ms": 100,
    "fetch.error.backoff.ms": 10,
}
_PATIENCE_S = 300.0


def raw_consume_rate(settings: Settings, count: int) -> float:
    """Events a second of `Consumer.consume(10000)` that only takes the values."""
    consumer = make_consumer(settings.kafka, f"raw-{time.time_ns()}", **CONSUMER)
    consumer.subscribe([INFERENCE.full_name(settings.kafka.topic_prefix)])
    first = consumer.consume(1, timeout=30)
    assert first
    seen = len(first)
    started = time.perf_counter()
    while seen < count:
        values = [record.value() for record in consumer.consume(BATCH, timeout=1.0)]
        seen += len(values)
    rate = (count - 1) / (time.perf_counter() - started)
    consumer.close()
    return rate


def projector_rate(
    settings: Settings, environment: dict[str, str], count: int
) -> tuple[float, float]:
    """Events a second from the projector's readiness to the last row in ClickHouse, and its RSS.

    Returns:
        Events a second, and the projector's resident memory at the end, MiB.
    """
    command = [sys.executable, "-m", "modeltrail.infra.cli", "worker", "projector"]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"
        started = time.perf_counter()
        client = make_client(settings.clickhouse)
        eventually(
            lambda: client.execute("SELECT count() FROM measurements")[0][0] >= count, _PATIENCE_S
        )
        rate = count / (time.perf_counter() - started)
        return rate, psutil.Process(worker.pid).memory_info().rss / 2**20
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def stack_memory(data_dir: Path) -> float:
    """Resident memory of the running parts of a stack, MiB."""
    state = load_state(Layout.at(data_dir).state)
    assert state is not None
    pids = [part.pid for part in state.parts if part.phase == "ready"]
    return sum(psutil.Process(pid).memory_info().rss for pid in pids if pid) / 2**20


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a subprocess has these settings."""
    return {
        **os.environ,
        "MODELTRAIL_STACK_DATA_DIR": settings.stack.data_dir,
        "MODELTRAIL_KAFKA_TOPIC_PREFIX": settings.kafka.topic_prefix,
        "MODELTRAIL_CLICKHOUSE_DATABASE": settings.clickhouse.database,
    }
