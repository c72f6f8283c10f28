"""The projector on real servers: killed, stopped, doubled or rewound, each row lands once."""

import math
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_admin, make_consumer
from modeltrail.infra.topics import create_topics
from modeltrail.schemas.events import (
    Fact,
    InferenceMeasured,
    MetricsLogged,
    ModelRegistered,
    RunEnded,
    RunStarted,
    RunStatus,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import (
    ExperimentId,
    Micros,
    ModelId,
    NodeId,
    RunId,
    SessionId,
    Sha256,
    Version,
    new_event_id,
)
from modeltrail.schemas.topics import (
    ALERTS,
    EXPERIMENTS,
    INFERENCE,
    NODES,
    REGISTRY,
    SAMPLES,
    WINDOWS,
)
from modeltrail.sinks.errors import TooManyDeadLetters
from modeltrail.sinks.migrate import migrate
from modeltrail.sinks.projector import run_projector
from tests.integration.sinks.log import Log
from tests.integration.sinks.projectors import end, running_projector, start_projector
from tests.waiting import eventually

SHA256 = Sha256(b"\x77" * 32)


def now() -> Micros:
    return Micros(time.time_ns() // 1000)


def measured(frame: int, **changes: Any) -> InferenceMeasured:
    values: dict[str, Any] = {
        "event_id": new_event_id(),
        "captured_at": now(),
        "node_id": NodeId(f"gate-{frame % 5}"),
        "session_id": SessionId("morning"),
        "frame": frame,
        "model_id": ModelId("centerface"),
        "version": Version("v1.0.0"),
        "artifact_sha256": SHA256,
        "execution_provider": "CPUExecutionProvider",
        "environment": "production",
        "arm": "champion",
        "sampling_rate": 1.0,
        "latency_ms": 40.0,
        "faces": frame % 3 or None,
        **changes,
    }
    return InferenceMeasured(**values)


def registered(model: str = "centerface", declared: tuple[str, ...] = ()) -> ModelRegistered:
    return ModelRegistered(
        event_id=new_event_id(),
        occurred_at=now(),
        request_id=new_event_id(),
        model_id=ModelId(model),
        version=Version("v1.0.0"),
        artifact_uri="file:///m",
        artifact_sha256=SHA256,
        artifact_size=1,
        metadata_json="{}",
        declared_metrics=declared,
    )


def run_facts(run: str) -> list[Fact]:
    """A run with its start sent twice, three steps, a final value and an end."""
    run_id = RunId(run)
    start = RunStarted(new_event_id(), now(), run_id, ExperimentId("thresholds"), '{"lr":1}')
    steps = [
        MetricsLogged(new_event_id(), now(), run_id, step, ("loss",), (1.0 / step,))
        for step in (1, 2, 4)
    ]
    final = MetricsLogged(new_event_id(), now(), run_id, None, ("recall",), (0.9,))
    ended = RunEnded(new_event_id(), now(), run_id, RunStatus.FINISHED)
    return [start, start, *steps, steps[-1], final, ended]


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


def assert_each_once(log: Log, count: int) -> None:
    log.wait()
    assert log.ask(
        "SELECT count(), uniqExact(topic_id, partition, offset), uniqExact(event_id) "
        "FROM measurements"
    ) == [(count, count, count)]


def test_facts_become_rows_that_the_views_answer_from(log: Log) -> None:
    log.append(REGISTRY, [registered(declared=("queue_depth",))])
    log.append(EXPERIMENTS, [*run_facts("a"), *run_facts("b")])
    log.append(
        INFERENCE,
        [measured(frame) for frame in range(20)]
        + [measured(20, extra_names=("queue_depth",), extra_values=(2.0,))],
    )
    with running_projector(log.settings):
        assert_each_once(log, 21)

    # a fact that was sent again counts once
    compared = "SELECT run_id, status, name, points, final FROM experiment_comparison ORDER BY 1, 3"
    assert log.ask(compared) == [
        ("a", "FINISHED", "loss", 3, 0.25),
        ("a", "FINISHED", "recall", 1, 0.9),
        ("b", "FINISHED", "loss", 3, 0.25),
        ("b", "FINISHED", "recall", 1, 0.9),
    ]
    assert log.ask("SELECT model_id, version, declared_metrics FROM model_versions") == [
        ("centerface", "v1.0.0", ["queue_depth"])
    ]
    assert log.ask("SELECT sum(measurements), any(latency_p50_ms) FROM measurement_summary") == [
        (21, 40.0)
    ]
    assert log.ask("SELECT extra_values FROM measurements WHERE notEmpty(extra_names)") == [
        ([2.0],)
    ]


def test_each_kind_of_unreadable_record_is_a_dead_letter_with_its_reason(log: Log) -> None:
    log.append(REGISTRY, [registered(declared=("queue_depth",))])
    extra = {"extra_values": (1.0,)}
    log.append(
        INFERENCE,
        [
            b"junk",
            b"\x00\x7f\xff\xff\xff" + bytes(20),
            log.codec.encode(measured(1)) + b"\x00",
            measured(2, node_id=""),
            measured(3, latency_ms=math.nan),
            measured(4, captured_at=now() + 3_600_000_000),
            measured(5, extra_names=("undeclared",), **extra),
            measured(6, extra_names=("queue_depth",), **extra),
            measured(7, captured_at=now() - 3_600_000_000),
        ],
        key=b"one partition",
    )
    log.append(NODES, [registered()])
    with running_projector(log.settings):
        assert_each_once(log, 2)

    assert log.ask("SELECT reason, count() FROM dead_letters GROUP BY reason ORDER BY reason") == [
        ("CAPTURED_IN_FUTURE", 1),
        ("INVALID_FACT", 1),
        ("NON_FINITE", 1),
        ("UNDECLARED_METRIC", 1),
        ("UNDECODABLE", 2),
        ("UNEXPECTED_RECORD", 1),
        ("UNKNOWN_SCHEMA_ID", 1),
    ]
    assert log.ask("SELECT value_hex FROM dead_letters WHERE value_size = 4") == [("6a756e6b",)]
    assert log.ask("SELECT count() FROM measurements WHERE is_late") == [(1,)]


def test_a_stream_that_is_mostly_unreadable_stops_the_projector_before_any_row(log: Log) -> None:
    log.append(INFERENCE, [b"junk"] * 150 + [measured(1)], key=b"one partition")

    # The records may arrive in parts: they are to be judged as one batch.
    patient = replace(log.settings, projector=replace(log.settings.projector, batch_seconds=5.0))
    with pytest.raises(TooManyDeadLetters, match="dead_letter_limit"):
        run_projector(patient, threading.Event(), lambda: None)

    assert log.ask("SELECT count() FROM measurement_rows") == [(0,)]
    assert log.ask("SELECT count() FROM dead_letters") == [(0,)]


def keep_appending(log: Log, total: int, chunk: int = 250) -> Iterator[int]:
    for start in range(0, total, chunk):
        log.append(INFERENCE, [measured(frame) for frame in range(start, start + chunk)])
        log.append(EXPERIMENTS, run_facts(f"run-{start}"))
        yield start


def kill_round(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    total = 6000
    for _ in keep_appending(log, total, 2000):
        projector = start_projector(log.settings)
        # Any moment will do: the sleep is the chance, nothing waits on it.
        time.sleep(chance.uniform(0.0, 1.5))
        projector.kill()
        projector.communicate()
    with running_projector(log.settings):
        assert_each_once(log, total)
    runs = total // 2000
    assert log.ask("SELECT count() FROM experiments WHERE status = 'FINISHED'") == [(runs,)]
    assert log.ask("SELECT count() FROM experiment_metrics") == [(4 * runs,)]


def test_counts_are_exact_after_three_kills_at_random_moments(log: Log) -> None:
    kill_round(log, seed=0)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(1, 21))
def test_counts_are_exact_after_three_kills_in_each_of_twenty_rounds(log: Log, seed: int) -> None:
    kill_round(log, seed)


def test_a_projector_that_slept_through_its_succession_changes_nothing(log: Log) -> None:
    sleeper = start_projector(log.settings)
    appending = keep_appending(log, 4000)
    for _ in range(3):
        next(appending)
    sleeper.send_signal(signal.SIGSTOP)
    try:
        for _ in range(3):
            next(appending)
        with running_projector(log.settings):
            log.wait()
            os.kill(sleeper.pid, signal.SIGCONT)
            for _ in appending:
                pass
            assert_each_once(log, 4000)
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
        end(sleeper)
    assert sleeper.returncode == 0


def test_projectors_that_come_and_go_share_the_partitions(log: Log) -> None:
    appending = keep_appending(log, 4000)
    with running_projector(log.settings):
        next(appending)
        with running_projector(log.settings):
            for _ in range(8):
                next(appending)
            eventually(
                lambda: log.ask(
                    "SELECT uniqExact(writer) >= 2 FROM sink_marks WHERE state = 'done'"
                )[0][0]
            )
        for _ in appending:
            pass
        assert_each_once(log, 4000)


def test_rewound_group_offsets_move_nothing(log: Log) -> None:
    settings = log.settings
    for _ in keep_appending(log, 1000):
        pass
    with running_projector(settings):
        log.wait()
    group = make_consumer(settings.kafka, f"{settings.kafka.topic_prefix}projector")
    group.commit(
        offsets=[
            TopicPartition(INFERENCE.full_name(settings.kafka.topic_prefix), partition, 0)
            for partition in range(settings.kafka.partitions)
        ],
        asynchronous=False,
    )
    group.close()
    log.append(INFERENCE, [measured(1000)])

    with running_projector(settings):
        assert_each_once(log, 1001)


def test_a_rebuilt_database_holds_the_same_rows(log: Log) -> None:
    settings = log.settings
    log.append(REGISTRY, [registered(), registered("other")])
    for _ in keep_appending(log, 2000):
        pass
    log.append(INFERENCE, [b"junk", measured(1, fps=math.inf)], key=b"x")
    for topic in (SAMPLES, WINDOWS, ALERTS):
        log.append(topic, [example_fact(kind) for kind in topic.facts for _ in range(2)], key=b"x")
    names = (
        "measurement_rows",
        "event_log",
        "experiment_metric_points",
        "dead_letters",
        "models",
        "experiments",
        "experiment_comparison",
        "window_rows",
        "drift_rows",
        "sample_rows",
        "measurement_windows",
        "window_progress",
        "alerts",
    )
    with running_projector(settings):
        log.wait()
    before = log.fingerprints(*names)

    with make_client(settings.clickhouse, database="") as client:
        client.execute(f"DROP DATABASE {settings.clickhouse.database}")
        migrate(client, settings.clickhouse.database)
    with running_projector(settings):
        log.wait()

    assert log.fingerprints(*names) == before
    assert before["measurement_rows"][0] == 2000
    assert before["dead_letters"][0] == 2
    assert (before["window_rows"][0], before["measurement_windows"][0]) == (2, 1)


def test_a_topic_that_is_made_again_starts_from_its_beginning(log: Log) -> None:
    settings = log.settings
    log.append(INFERENCE, [measured(frame) for frame in range(300)])
    with running_projector(settings):
        log.wait()
    name = INFERENCE.full_name(settings.kafka.topic_prefix)
    admin = make_admin(settings.kafka)
    admin.delete_topics([name])[name].result(30)
    eventually(lambda: create_topics(settings.kafka))
    # A producer keeps the id of the topic that it knew.
    again = Log(replace(settings))
    again.append(INFERENCE, [measured(frame) for frame in range(300, 350)])

    with running_projector(settings):
        assert_each_once(again, 350)
    assert again.ask("SELECT uniqExact(topic_id) FROM measurements") == [(2,)]
