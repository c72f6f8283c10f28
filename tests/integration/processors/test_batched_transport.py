"""On real Kafka, batches lose no offset by kill -9, and are committed as far as the agent says."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_consumer, make_producer
from modeltrail.infra.log_reader import end_offsets
from modeltrail.schemas.topics import INFERENCE
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
RECORDS = 100_000
LAG = 600


class Batch(NamedTuple):
    """A line that a recorder has written."""

    generation: int
    partition: int
    first: int
    last: int


@contextmanager
def recorder(
    settings: Settings, file: Path, pause_s: float = 0.01
) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [
        settings.kafka.bootstrap_servers,
        INFERENCE.full_name(settings.kafka.topic_prefix),
        group_of(settings),
        str(file),
        str(LAG),
        str(pause_s),
    ]
    module = "tests.integration.processors.batch_recorder"
    worker = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def group_of(settings: Settings) -> str:
    return f"{settings.kafka.topic_prefix}recorder"


def append_records(settings: Settings) -> dict[int, int]:
    """Append records to every partition, and give where each ends."""
    # Small batches that do not compress, so that there are hundreds of fetches.
    producer = make_producer(settings.kafka, **{"batch.num.messages": 250})
    name = INFERENCE.full_name(settings.kafka.topic_prefix)
    chance = random.Random(0)
    refusals: list[str] = []

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refusals.append(error.str())

    for number in range(RECORDS):
        value = chance.randbytes(100)
        producer.produce(name, key=b"%d" % number, value=value, on_delivery=answered)
        if number % 10_000 == 0:
            producer.flush()
    assert producer.flush(300) == 0
    assert not refusals
    return {
        p: end for (topic, p), end in end_offsets(settings.kafka).items() if topic == "inference"
    }


def runs_in(file: Path) -> list[list[Batch]]:
    """What each process has written; a line that was cut by the kill counts for nothing."""
    runs: list[list[Batch]] = []
    for line in file.read_text().splitlines(keepends=True) if file.exists() else ():
        # Behind what the kill before has left of a line, if it left some.
        if line.endswith("started\n"):
            runs.append([])
        elif line.endswith("\n"):
            runs[-1].append(Batch(*map(int, line.split())))
    return runs


def has_taken(file: Path, runs: int, batches: int) -> bool:
    found = runs_in(file)
    return len(found) == runs and len(found[-1]) >= batches


def last_offsets(run: list[Batch]) -> dict[int, int]:
    return {batch.partition: batch.last for batch in run}


def has_ended(file: Path, ends: dict[int, int]) -> bool:
    return last_offsets(runs_in(file)[-1]) == {p: end - 1 for p, end in ends.items()}


def committed(settings: Settings) -> dict[int, int]:
    name = INFERENCE.full_name(settings.kafka.topic_prefix)
    consumer = make_consumer(settings.kafka, group_of(settings))
    try:
        asked = [TopicPartition(name, p) for p in range(settings.kafka.partitions)]
        return {found.partition: found.offset for found in consumer.committed(asked, timeout=30)}
    finally:
        consumer.close()


@pytest.mark.parametrize("seed", [1])
def test_no_offset_is_lost_when_the_worker_is_killed(
    fresh_settings: Settings, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    file = tmp_path / "batches"
    ends = append_records(fresh_settings)
    for number in range(2):
        with recorder(fresh_settings, file) as worker:
            eventually(partial(has_taken, file, number + 1, chance.randrange(30, 60)))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    with recorder(fresh_settings, file):
        eventually(partial(has_ended, file, ends))
        eventually(lambda: committed(fresh_settings) == {p: end - LAG for p, end in ends.items()})

    runs = runs_in(file)
    assert len(runs) == 3
    for partition, end in ends.items():
        following = 0
        for batches in (found for run in runs for found in assignments_of(run, partition)):
            # Each begins with the committed offset: the lag or more behind what was acked.
            assert batches[0].first <= max(following - LAG, 0)
            assert follow_each_other(batches)
            following = max(following, batches[-1].last + 1)
        assert following == end
    # Commits did count: the last process did not begin with the beginning everywhere.
    begun = [assignments_of(runs[2], partition)[0][0].first for partition in ends]
    assert max(begun) > 0


@pytest.mark.prove
def test_no_offset_is_lost_when_partitions_move(fresh_settings: Settings, tmp_path: Path) -> None:
    stays, leaves = tmp_path / "stays", tmp_path / "leaves"
    ends = append_records(fresh_settings)
    # Slow, so that there is something left when the other one has come and gone.
    with recorder(fresh_settings, stays, pause_s=0.04):
        eventually(partial(has_taken, stays, 1, 10))
        with recorder(fresh_settings, leaves, pause_s=0.04) as other:
            eventually(partial(has_taken, leaves, 1, 10))
            other.send_signal(signal.SIGTERM)
            eventually(partial(has_ended, stays, ends))

    taken: dict[int, set[int]] = {partition: set() for partition in ends}
    for file in (stays, leaves):
        (run,) = runs_in(file)
        for (_, partition), batches in by_assignment(run).items():
            assert follow_each_other(batches)
            for batch in batches:
                taken[partition].update(range(batch.first, batch.last + 1))
    assert {partition: len(offsets) for partition, offsets in taken.items()} == ends
    assert len({batch.generation for batch in runs_in(stays)[0]}) == 3


def by_assignment(run: list[Batch]) -> dict[tuple[int, int], list[Batch]]:
    found: dict[tuple[int, int], list[Batch]] = {}
    for batch in run:
        found.setdefault((batch.generation, batch.partition), []).append(batch)
    return found


def assignments_of(run: list[Batch], partition: int) -> list[list[Batch]]:
    """The batches of a partition, a list for each time that the process was given it."""
    return [batches for (_, mine), batches in by_assignment(run).items() if mine == partition]


def follow_each_other(batches: list[Batch]) -> bool:
    return all(after.first == before.last + 1 for before, after in pairwise(batches))
