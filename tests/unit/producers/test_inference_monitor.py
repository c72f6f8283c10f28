"""Measuring frames: what arrives, what is refused, what is dropped and how that is told."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import Settings
from modeltrail.producers.errors import InvalidFact, UndeclaredMetric
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.events import Fact, InferenceMeasured, MeasurementsDropped
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.topics import INFERENCE, NODES, Topic, key_of

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]
Make = Callable[..., InferenceMonitor]


@pytest.fixture
def make(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds, model: RegisteredModel
) -> Iterator[Make]:
    made: list[InferenceMonitor] = []

    def make_monitor(clock: ManualClock | None = None, **monitoring: Any) -> InferenceMonitor:
        changed = replace(
            settings,
            monitoring=replace(settings.monitoring, **{"flush_timeout_s": 5.0, **monitoring}),
        )
        monitor = InferenceMonitor(
            changed,
            model=model,
            node_id="gate-1",
            session_id="morning",
            execution_provider="CPUExecutionProvider",
            log=log,
            schema_ids=ids,
            clock=clock,
        )
        made.append(monitor)
        return monitor

    yield make_monitor
    log.away = ids.away = False
    for monitor in made:
        monitor.close()


def measured(facts: list[Fact]) -> list[InferenceMeasured]:
    return [fact for fact in facts if isinstance(fact, InferenceMeasured)]


def test_the_measures_are_those_of_the_schema() -> None:
    optional = [field.name for field in fields(InferenceMeasured) if field.default is None]

    assert list(MEASURES) == optional


def test_a_tracked_frame_arrives_with_everything_it_came_with(
    make: Make, log: MemoryLog, facts_in: Facts, model: RegisteredModel
) -> None:
    monitor = make()
    monitor.track(
        42,
        captured_at_us=1_767_225_600_000_000,
        latency_ms=40.5,
        detect_ms=np.float32(38.5),
        faces=np.int64(2),
        detection_score=1,
        extra={"queue_depth": np.int32(3)},
    )
    monitor.close()

    [fact] = measured(facts_in(INFERENCE))
    assert fact == InferenceMeasured(
        event_id=fact.event_id,
        captured_at=fact.captured_at,
        node_id=fact.node_id,
        session_id=fact.session_id,
        frame=42,
        model_id=model.model_id,
        version=model.version,
        artifact_sha256=model.artifact_sha256,
        execution_provider="CPUExecutionProvider",
        environment="production",
        arm="champion",
        sampling_rate=1.0,
        detect_ms=38.5,
        latency_ms=40.5,
        faces=2,
        detection_score=1.0,
        extra_names=("queue_depth",),
        extra_values=(3.0,),
    )
    assert (fact.captured_at, fact.node_id, fact.session_id) == (
        1_767_225_600_000_000,
        "gate-1",
        "morning",
    )
    [record] = log.records(INFERENCE)
    assert record.key == key_of("centerface", "gate-1")
    assert monitor.stats().sent == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"latency_ms": float("nan")}, "'latency_ms' is nan"),
        ({"fps": float("inf")}, "'fps' is inf"),
        ({"luma_mean": np.float32("nan")}, "'luma_mean' is nan"),
        ({"detect_ms": "38"}, "'detect_ms' is a str"),
        ({"detect_ms": np.array([1.0, 2.0])}, "'detect_ms' is a ndarray"),
        ({"faces": 1.5}, "faces is 1.5: give a whole number"),
        ({"faces_unmasked": 1.0}, "faces_unmasked is 1.0"),
        ({"extra": {"queue_depth": float("nan")}}, "'queue_depth' is nan"),
        ({"frame": -1}, "frame is -1"),
        ({"frame": 1.0}, "frame is 1.0"),
        ({"captured_at_us": 1.5}, "captured_at_us is 1.5"),
    ],
)
def test_values_that_may_not_become_a_fact_are_refused_at_the_call(
    make: Make, facts_in: Facts, call: dict[str, Any], message: str
) -> None:
    monitor = make()

    with pytest.raises(InvalidFact, match=message):
        monitor.track(**{"frame": 1, **call})

    monitor.close()
    assert facts_in(INFERENCE) == []


def test_large_numbers_whose_sum_overflows_are_fine(make: Make, facts_in: Facts) -> None:
    monitor = make()
    monitor.track(1, latency_ms=1e308, detect_ms=1e308, mask_ms=1e308)
    monitor.close()

    assert [fact.latency_ms for fact in measured(facts_in(INFERENCE))] == [1e308]


def test_an_undeclared_metric_is_refused_and_says_where_to_declare_it(make: Make) -> None:
    with pytest.raises(UndeclaredMetric, match=r"'blur' .* register_model\(declared_metrics"):
        make().track(1, extra={"queue_depth": 1.0, "blur": 2.0})


def test_what_only_the_schema_refuses_is_counted(
    make: Make, facts_in: Facts, wait_until: Wait
) -> None:
    monitor = make()
    monitor.track(1, faces=2**70)
    monitor.track(2, faces=1)

    wait_until(lambda: monitor.stats().sent == 1)
    monitor.close()

    assert monitor.stats().refused == 1
    [report] = facts_in(NODES)
    assert isinstance(report, MeasurementsDropped)
    assert (report.dropped, report.undeliverable, report.sent) == (0, 1, 1)


def test_an_environment_too_long_for_a_fact_is_refused_at_once(make: Make) -> None:
    with pytest.raises(InvalidFact, match="environment has more than 1000 characters"):
        make(environment="e" * 1001)


class TestSampling:
    def test_the_same_frames_of_a_session_are_chosen_everywhere(
        self, make: Make, facts_in: Facts
    ) -> None:
        for _ in range(2):
            monitor = make(sampling_rate=0.25)
            for frame in range(400):
                monitor.track(frame, latency_ms=1.0)
            monitor.close()

        frames = [fact.frame for fact in measured(facts_in(INFERENCE))]
        assert frames[: len(frames) // 2] == frames[len(frames) // 2 :]
        assert 60 <= len(set(frames)) <= 140
        assert monitor.stats().sampled_out == 400 - len(set(frames))
        assert {fact.sampling_rate for fact in measured(facts_in(INFERENCE))} == {0.25}

    @pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
    def test_a_rate_that_is_no_share_is_refused(self, make: Make, rate: float) -> None:
        with pytest.raises(InvalidFact, match="sampling_rate"):
            make(sampling_rate=rate)

    def test_a_rate_of_nothing_sends_nothing(self, make: Make, facts_in: Facts) -> None:
        monitor = make(sampling_rate=0.0)
        for frame in range(100):
            monitor.track(frame)
        monitor.close()

        assert facts_in(INFERENCE) == []
        assert monitor.stats().sampled_out == 100


class TestWhileKafkaIsAway:
    @pytest.mark.parametrize("part", ["kafka", "schema registry"])
    def test_the_oldest_are_dropped_counted_and_reported(
        self,
        make: Make,
        log: MemoryLog,
        ids: MemorySchemaIds,
        facts_in: Facts,
        wait_until: Wait,
        part: str,
    ) -> None:
        # Given a node that measures more than it can hold while a server is away
        log.away, ids.away = part == "kafka", part == "schema registry"
        monitor = make(queue_capacity=100, report_interval_s=0.05)
        for frame in range(5000):
            monitor.track(frame, latency_ms=1.0)

        # When the server is back
        wait_until(lambda: monitor.stats().dropped > 0)
        log.away = ids.away = False
        wait_until(lambda: monitor.stats().queued == 0)
        monitor.track(5000)
        monitor.close()

        # Then every frame was either sent, or dropped and reported
        frames = [fact.frame for fact in measured(facts_in(INFERENCE))]
        stats = monitor.stats()
        assert frames == sorted(frames)
        assert frames[-1] == 5000
        assert 4999 in frames
        assert len(frames) + stats.dropped == 5001
        assert stats.sent == len(frames)
        reports = [fact for fact in facts_in(NODES) if isinstance(fact, MeasurementsDropped)]
        assert sum(report.dropped for report in reports) == stats.dropped
        assert {report.node_id for report in reports} == {"gate-1"}

    def test_closing_ends_in_time(self, make: Make, log: MemoryLog) -> None:
        log.away = True
        monitor = make(flush_timeout_s=0.3)
        monitor.track(1)

        started = time.monotonic()
        monitor.close()

        assert time.monotonic() - started < 5
        assert monitor.stats().sent == 0
        assert monitor.stats().queued == 1

    def test_what_the_kafka_client_gives_up_is_undeliverable(
        self, make: Make, log: MemoryLog, facts_in: Facts, wait_until: Wait
    ) -> None:
        clock = ManualClock()
        log._clock = clock
        log.away = True
        monitor = make(clock)
        monitor.track(1)
        wait_until(lambda: log.senders and log.senders[0].queued)
        clock.advance(3600)
        wait_until(lambda: monitor.stats().undeliverable == 1)

        log.away = False
        wait_until(lambda: facts_in(NODES))

        [report] = facts_in(NODES)
        assert isinstance(report, MeasurementsDropped)
        assert report.undeliverable == 1


class TestClock:
    def test_frames_are_dated_by_a_clock_that_moves_evenly(
        self, make: Make, facts_in: Facts, wait_until: Wait
    ) -> None:
        clock = ManualClock()
        start = clock.now_us()
        monitor = make(clock)
        monitor.track(1)
        clock.advance(0.04)
        clock.jump(0.3)
        monitor.track(2)
        wait_until(lambda: monitor.stats().sent == 2)

        assert [fact.captured_at - start for fact in measured(facts_in(INFERENCE))] == [0, 40_000]
        assert monitor.stats().clock_jumps == 0

    @pytest.mark.parametrize("jump", [3600, -3600])
    def test_a_clock_that_is_set_is_followed_and_counted(
        self, make: Make, facts_in: Facts, wait_until: Wait, jump: int
    ) -> None:
        clock = ManualClock()
        start = clock.now_us()
        monitor = make(clock)
        monitor.track(1)
        wait_until(lambda: monitor.stats().sent == 1)
        clock.jump(jump)
        wait_until(lambda: monitor.stats().clock_jumps == 1)
        monitor.track(2)
        wait_until(lambda: monitor.stats().sent == 2)

        dates = [fact.captured_at - start for fact in measured(facts_in(INFERENCE))]
        assert dates == [0, jump * 1_000_000]


def test_switched_off_it_does_nothing(
    settings: Settings, model: RegisteredModel, log: MemoryLog
) -> None:
    off = replace(settings, monitoring=replace(settings.monitoring, metrics_collection=False))

    # No Kafka is configured, and none is needed.
    with InferenceMonitor(off, model=model, node_id="gate-1") as monitor:
        monitor.track(1, latency_ms=float("nan"))

    assert monitor.stats() == replace(monitor.stats(), sent=0, dropped=0, queued=0)
    assert log.records(INFERENCE) == []


def test_frames_after_the_close_are_counted_as_dropped(make: Make) -> None:
    monitor = make()
    monitor.track(1)
    monitor.close()
    monitor.track(2)

    assert (monitor.stats().sent, monitor.stats().dropped) == (1, 1)


def test_threads_share_a_monitor(make: Make, facts_in: Facts) -> None:
    monitor = make()

    def track(base: int) -> None:
        for frame in range(1000):
            monitor.track(base + frame)

    threads = [threading.Thread(target=track, args=(base,)) for base in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monitor.close()

    assert sorted(fact.frame for fact in measured(facts_in(INFERENCE))) == list(range(3000))


def test_a_forked_child_measures_into_its_own_queue(make: Make, facts_in: Facts) -> None:
    # Given a parent that has measured
    monitor = make()
    monitor.track(1)

    # When a child measures with the same monitor
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        before = monitor.stats()
        monitor.track(2)
        monitor.track(3)
        monitor.close()
        after = monitor.stats()
        os.write(write_end, bytes((before.sent + before.queued, after.sent)))
        os._exit(0)

    # Then the child sent its own two, and the parent nothing but its own
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read_end, 2) == bytes((0, 2))
    monitor.track(4)
    monitor.close()
    assert [fact.frame for fact in measured(facts_in(INFERENCE))] == [1, 4]
    os.close(read_end)
    os.close(write_end)
