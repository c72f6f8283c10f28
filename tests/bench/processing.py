"""Measures how fast measurements become windows, and what the worker that does it takes."""

import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psutil

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_consumer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import PartitionAdvanced
from modeltrail.schemas.topics import WINDOWS
from tests.bench.consuming import environment_of

PLAIN = "modeltrail.infra.cli"
_PATIENCE_S = 600.0


@contextmanager
def running_processors(settings: Settings, module: str = PLAIN) -> Iterator[psutil.Process]:
    """The processors as a process, at work when this gives it; `module` is what runs them."""
    command = [sys.executable, "-m", module, "worker", "processors"]
    worker = subprocess.Popen(
        command, env=environment_of(settings), stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"
        yield psutil.Process(worker.pid)
    finally:
        worker.terminate()
        worker.wait(timeout=60)


@dataclass(frozen=True, slots=True)
class Processed:
    """Events a second; microseconds of CPU an event, all threads; the most memory taken, MiB."""

    rate: float
    cpu_us: float
    memory: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Of a worker at work: s since it was ready, events in windows, s of CPU, MiB of memory."""

    at: float
    taken: int
    cpu_s: float
    memory: float


def process(settings: Settings, count: int) -> Processed:
    """Time the processors from readiness until the first `count` events are in windows.

    Partitions say in the log how many measurements they have taken; what was appended last is
    counted when the time after it is marked, which a worker that has caught up does at once.
    """
    most = 0.0
    with closing(samples(settings)) as found:
        for sample in found:
            most = max(most, sample.memory)
            if sample.taken >= count:
                return Processed(count / sample.at, sample.cpu_s / count * 1e6, most)
    raise AssertionError("the samples ended")


def samples(settings: Settings, module: str = PLAIN) -> Generator[Sample, None, None]:
    """What a worker has taken and takes, again and again; it ends when the generator is closed.

    Raises:
        TimeoutError: ten minutes have passed.
    """
    with running_processors(settings, module) as worker:
        started, used = time.perf_counter(), cpu_s(worker)
        for taken in _measurements_taken(settings):
            assert worker.status() != psutil.STATUS_ZOMBIE, "the processors have died"
            passed, memory = time.perf_counter() - started, worker.memory_info().rss / 2**20
            yield Sample(passed, taken, cpu_s(worker) - used, memory)
            if passed > _PATIENCE_S:
                raise TimeoutError(f"{taken} measurements after {_PATIENCE_S} s")


def cpu_s(worker: psutil.Process) -> float:
    """Seconds of CPU that a process has used, all threads."""
    times = worker.cpu_times()
    return float(times.user + times.system)


def _measurements_taken(settings: Settings) -> Iterator[int]:
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    consumer = make_consumer(settings.kafka, f"advances-{time.time_ns()}")
    consumer.subscribe([WINDOWS.full_name(settings.kafka.topic_prefix)])
    taken: dict[tuple[int, int], int] = {}
    try:
        while True:
            for record in consumer.consume(1_000, timeout=0.1):
                value = record.value()
                fact = codec.decode(value) if value and not record.error() else None
                # Each partition tells all partitions of windows; one of them is enough.
                if isinstance(fact, PartitionAdvanced) and fact.partition == 0:
                    taken[fact.source_partition, fact.advanced_to] = (
                        fact.measurements + fact.late + fact.refused
                    )
            yield sum(taken.values())
    finally:
        consumer.close()
