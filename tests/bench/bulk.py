"""Fills the log with a million runs, a hundred thousand model versions and two million points.

Every fact is a record of its own; to make millions of them in time, the datums are copies of a few
encoded ones with other bytes of the same length in the place of ids and parameters.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import end_offsets
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    AliasAssigned,
    MetricsLogged,
    ModelRegistered,
    ModelTagSet,
    RunEnded,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import (
    EventId,
    ExperimentId,
    Micros,
    ModelId,
    RunId,
    Sha256,
    Version,
    new_event_id,
)
from modeltrail.schemas.topics import EXPERIMENTS, REGISTRY, key_of
from modeltrail.sinks.queries.progress import wait_until_projected
from tests.bench.consuming import environment_of
from tests.bench.events import append

RUNS = 1_000_000
EXPERIMENT_RUNS = 1_000
#: One run in so many is tagged; one in so many failed; so many have not ended.
TAGGED_EVERY = 10
FAILED_EVERY = 50
OPEN_RUNS = 100
VERSIONS_PER_MODEL = 100
MODELS = 1_000
ALIASED = 3
COMPARED_RUNS = 100
METRICS = 10
STEPS = 1_000
HISTORY_STEPS = 1_000_000
HISTORY_RUN = "run-history"
_PATIENCE_S = 900.0
_EMPTY_ID = EventId(bytes(16))
_HEADER = 5
Record = tuple[bytes, bytes]
"""Key and value."""


def fill(settings: Settings) -> None:
    """Append everything and let a projector bring it into the tables."""
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    producer = make_producer(settings.kafka, **{"queue.buffering.max.messages": 500_000})
    for topic, records in (
        (REGISTRY, _versions(codec)),
        (EXPERIMENTS, _runs(codec)),
        (EXPERIMENTS, _compared(codec)),
        (EXPERIMENTS, _history(codec)),
    ):
        name = topic.full_name(settings.kafka.topic_prefix)
        for key, value in records:
            append(producer, name, key, value)
    producer.flush()
    _project(settings)


def run_id_of(number: int) -> str:
    """The id of a run; as long as that of any other."""
    return f"run-{number:07d}"


def version_of(number: int) -> str:
    """The version that a model got as its `number`th, from 0."""
    return f"v{number + 1}.0.0"


def _runs(codec: Codec) -> Iterator[Record]:
    now = Micros(SystemClock().now_us())
    run, experiment, rate, seed = "run-nnnnnnn", "exp-eee", "0.1111", "2222222"
    config = f'{{"batch_size":32,"lr":{rate},"model":"resnet-50","optimizer":"adam","seed":{seed}}}'
    start = codec.encode(
        RunStarted(
            _EMPTY_ID, now, RunId(run), ExperimentId(experiment), config,
            started_by="bench", environment_json='{"python":"3.11.7"}', heartbeat_s=10.0,
        )
    )  # fmt: skip
    tag = codec.encode(RunTagSet(_EMPTY_ID, now, RunId(run), "team", "team-t", "bench"))
    ends = {
        status: codec.encode(RunEnded(_EMPTY_ID, now, RunId(run), status))
        for status in (RunStatus.FINISHED, RunStatus.FAILED)
    }
    for number in range(RUNS):
        run_id = run_id_of(number).encode()
        key = key_of(run_id.decode())
        value = (
            start.replace(run.encode(), run_id)
            .replace(experiment.encode(), b"exp-%03d" % (number // EXPERIMENT_RUNS))
            .replace(rate.encode(), b"0.%03d1" % (number % 1_000))
            .replace(seed.encode(), b"%07d" % (1_000_000 + number))
        )
        yield key, _identified(value)
        if number % TAGGED_EVERY == 0:
            team = b"team-%d" % (number // TAGGED_EVERY % 10)
            yield key, _identified(tag.replace(run.encode(), run_id).replace(b"team-t", team))
        if number < RUNS - OPEN_RUNS:
            failed = number % FAILED_EVERY == 0
            ended = ends[RunStatus.FAILED if failed else RunStatus.FINISHED]
            yield key, _identified(ended.replace(run.encode(), run_id))


def _versions(codec: Codec) -> Iterator[Record]:
    now = Micros(SystemClock().now_us())
    for number in range(VERSIONS_PER_MODEL):
        for model in range(MODELS):
            model_id, version = ModelId(f"model-{model}"), Version(version_of(number))
            key = key_of(model_id)
            digest = (model * VERSIONS_PER_MODEL + number).to_bytes(32, "big")
            registered = ModelRegistered(
                new_event_id(), now, new_event_id(), model_id, version, f"file:///{digest.hex()}",
                Sha256(digest), 7_300_000, f'{{"licence":"MIT","build":"b{model}-{number}"}}',
                requested_by="bench", run_id=RunId(run_id_of(number)), dataset="faces",
                git_commit=f"{model:08x}{number:08x}",
            )  # fmt: skip
            yield key, codec.encode(registered)
            if number >= VERSIONS_PER_MODEL - ALIASED:
                assigned = AliasAssigned(new_event_id(), now, model_id, "champion", version)
                yield key, codec.encode(assigned)
            if number % TAGGED_EVERY == 0:
                tagged = ModelTagSet(new_event_id(), now, model_id, version, "stage", f"s{model}")
                yield key, codec.encode(tagged)


def _compared(codec: Codec) -> Iterator[Record]:
    names = tuple(f"metric_{number}" for number in range(METRICS))
    now = Micros(SystemClock().now_us())
    for number in range(COMPARED_RUNS):
        run_id = RunId(run_id_of(number))
        key = key_of(run_id)
        logged = MetricsLogged(_EMPTY_ID, now, run_id, 0, names, (0.0,) * METRICS)
        for step in range(STEPS):
            values = tuple((step * 7 + number + each) % 1_000 / 1_000 for each in range(METRICS))
            yield key, _identified(codec.encode(replace(logged, step=step, values=values)))


def _history(codec: Codec) -> Iterator[Record]:
    run_id = RunId(HISTORY_RUN)
    key = key_of(run_id)
    logged = MetricsLogged(_EMPTY_ID, Micros(SystemClock().now_us()), run_id, 0, ("loss",), (0.0,))
    for step in range(HISTORY_STEPS):
        fact = replace(logged, step=step, values=(1_000 / (step + 1),))
        yield key, _identified(codec.encode(fact))


def _identified(value: bytes) -> bytes:
    """The same framed datum under an event_id of its own."""
    return value[:_HEADER] + os.urandom(16) + value[_HEADER + 16 :]


def _project(settings: Settings) -> None:
    command = [sys.executable, "-m", "modeltrail.infra.cli", "worker", "projector"]
    worker = subprocess.Popen(
        command, env=environment_of(settings), stdout=subprocess.PIPE, text=True
    )
    client = make_client(settings.clickhouse)
    try:
        ends = {place: end for place, end in end_offsets(settings.kafka).items() if end}
        wait_until_projected(client, settings.clickhouse.database, ends, _PATIENCE_S)
    finally:
        client.disconnect()
        worker.terminate()
        worker.wait(timeout=30)
