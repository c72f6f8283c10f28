"""A window has one definition: the stream and SQL over measurements find the same in it."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from clickhouse_driver import Client

from modeltrail.processors.backtest import Backtest, Source, time_mark
from modeltrail.processors.windows.reading import Batch
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import InferenceMeasured, ModelRegistered, WindowClosed
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Sha256,
    Version,
    derived_event_id,
)
from modeltrail.sinks.migrate import migrate
from modeltrail.sinks.sql_files import in_database
from tests.integration.infra.gateway.conftest import Gateway

DATABASE = "windows"
PARTITIONS = 3
START_S = 1_767_225_600
SPAN_S = 700
#: Long enough for the last of them to leave the newest 1,000.
UNTIL_S = START_S + SPAN_S + 3_700
SHA256 = Sha256(b"\x77" * 32)
MODELS = (("centerface", "v1.0.0"), ("centerface", "v1.1.0"), ("light", "v1.0.0"))
DELAYS_MS = (0, 40, 40, 40, 150, 900, 1_000, 1_001, 4_000, 9_999, 10_000, 10_001, 60_000, -9_000)
EXTRAS = ("queue_depth", "drift_mm", "odd")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The real engine with our tables and views."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.start()
    migrate(gateway.client(), DATABASE)
    yield gateway.client(database=DATABASE, settings={"server_side_params": True})
    assert gateway.end() == 0


def measured(random_: random.Random, number: int, appended_ms: int) -> InferenceMeasured:
    """A measurement with some measures, on time, at the very limits, late, or ahead of time."""
    model, version = random_.choices(MODELS, (12, 2, 1))[0]
    captured_us = (appended_ms - random_.choice(DELAYS_MS)) * 1000 - random_.choice((0, 0, 1))
    faces = random_.choice((None, 0, 0, 1, 2))
    extras = random_.sample(EXTRAS, random_.randint(0, len(EXTRAS)))
    values = {
        "queue_depth": float(random_.randint(-3, 3)),
        "drift_mm": random_.gauss(0, 1e-3),
        "odd": random_.choice((-0.0, 2.0**42, -(2.0**50), 2.0**41 + 0.3, 5e-324, 1e-310, 0.1)),
    }
    return InferenceMeasured(
        event_id=EventId(random_.randbytes(16)),
        captured_at=Micros(captured_us),
        node_id=NodeId(f"gate-{number % 5}"),
        session_id=SessionId("morning"),
        frame=number,
        model_id=ModelId(model),
        version=Version(version),
        artifact_sha256=SHA256,
        execution_provider="CPUExecutionProvider",
        environment="production",
        arm="champion",
        sampling_rate=1.0,
        latency_ms=random_.choice((None, random_.lognormvariate(3.5, 0.5))),
        faces=faces,
        dropped_frames=random_.choice((0, 0, 0, 7)),
        luma_mean=None if faces is None else random_.uniform(0, 255),
        extra_names=tuple(extras),
        extra_values=tuple(values[name] for name in extras),
    )


def log_of(partition: int) -> list[tuple[int, InferenceMeasured]]:
    """(append time in ms, measurement) by offset; bursts share an append time."""
    random_ = random.Random(partition)
    times = sorted(
        START_S * 1000 + random_.choice((random_.randrange(0, SPAN_S * 1000), 1_000 * 61))
        for _ in range(1200)
    )
    return [(at_ms, measured(random_, number, at_ms)) for number, at_ms in enumerate(times)]


def batches(records: Sequence[tuple[int, InferenceMeasured]], codec: Codec) -> Iterator[Batch]:
    for low in range(0, len(records), 317):
        some = records[low : low + 317]
        yield Batch(
            np.arange(low, low + len(some)),
            np.array([at_ms for at_ms, _ in some]),
            decode_batch([codec.encode(fact) for _, fact in some], codec),
        )
    yield time_mark(len(records), (UNTIL_S + 2) * 1000)


def registrations() -> list[Appended]:
    return [
        Appended(
            0,
            offset,
            0,
            ModelRegistered(
                event_id=derived_event_id("registered", model, version),
                occurred_at=Micros(0),
                request_id=derived_event_id("request", model, version),
                model_id=ModelId(model),
                version=Version(version),
                artifact_uri="file:///m",
                artifact_sha256=SHA256,
                artifact_size=1,
                metadata_json="{}",
                declared_metrics=EXTRAS,
            ),
        )
        for offset, (model, version) in enumerate(MODELS)
    ]


def windows_of_the_stream(
    logs: Sequence[Sequence[tuple[int, InferenceMeasured]]],
) -> list[tuple[Any, ...]]:
    codec = Codec(MemorySchemaIds())
    sources = {
        partition: Source(batches(records, codec), from_beginning=True)
        for partition, records in enumerate(logs)
    }
    backtest = Backtest(sources, registrations(), truth_sampling_rate=0.0, sample_capacity=1)
    return [
        (
            *(closed.model_id, closed.version, closed.environment, closed.arm, closed.window),
            *(closed.start, closed.end, closed.final, closed.measurements),
            *(metric.name, metric.count, metric.sum_whole, metric.sum_fraction, metric.mean),
            *(metric.min, metric.max, metric.p50, metric.p95, metric.p99),
        )
        for _, facts in backtest.run()
        for closed in facts
        if isinstance(closed, WindowClosed)
        for metric in closed.metrics
    ]


def windows_of_sql(
    server: Client, logs: Sequence[Sequence[tuple[int, InferenceMeasured]]]
) -> list[tuple[Any, ...]]:
    columns = (
        *("captured_at", "appended_at", "model_id", "version", "environment", "arm"),
        *("latency_ms", "faces", "dropped_frames", "luma_mean", "extra_names", "extra_values"),
        *("partition", "offset"),
    )
    server.execute(
        f"INSERT INTO measurement_rows ({', '.join(columns)}) VALUES",
        [
            (
                datetime.fromtimestamp(fact.captured_at // 1_000_000, UTC).replace(
                    microsecond=fact.captured_at % 1_000_000
                ),
                datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000),
                *(getattr(fact, name) for name in columns[2:-2]),
                partition,
                offset,
            )
            for partition, records in enumerate(logs)
            for offset, (at_ms, fact) in enumerate(records)
        ],
    )
    text = (files("modeltrail.sinks.queries") / "windows_from_measurements.sql").read_text()
    bounds = {"since": f"{START_S - 60}.000000", "until": f"{UNTIL_S}.000000"}
    rows = server.execute(in_database(text, DATABASE), bounds)
    return [(*row[:5], micros(row[5]), micros(row[6]), *row[7:]) for row in rows]


def micros(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def test_every_window_of_the_stream_is_what_sql_makes_of_the_measurements(server: Client) -> None:
    # given measurements in three partitions: ties, late ones, ahead of time, out of range, missing
    logs = [log_of(partition) for partition in range(PARTITIONS)]

    stream, sql = windows_of_the_stream(logs), windows_of_sql(server, logs)

    assert {row[4] for row in stream} == {"10s", "1m", "5m", "1h", "last_1000"}
    assert {row[7] for row in stream} == {False, True}
    assert max(row[8] for row in stream if row[4] == "last_1000") == 1000
    assert sorted(stream) == sorted(sql)
