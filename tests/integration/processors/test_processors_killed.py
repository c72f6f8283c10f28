"""The processors killed at any moment: no window is off, no alert lost, none another one."""

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import LogRecord, PartitionReader
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.backtest import Backtest, Source
from modeltrail.processors.windows.reading import Batch
from modeltrail.producers.rules.client import RulesClient
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    AlertRaised,
    AlertState,
    Fact,
    InferenceMeasured,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, NodeId
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import ALERTS, INFERENCE, WINDOWS, Topic, key_of
from tests.integration.workers import running_worker
from tests.waiting import eventually

RULES = """
"*":
  rules:
    - {name: SLOW, metric: latency_ms, statistic: VALUE, above: 100}
    - {name: FPS, metric: fps, statistic: MEAN, window: 10s, below: 20, resolve_threshold: 24}
    - {name: SILENT, statistic: NO_DATA, window: 10s}
"""
MODELS, NODES = 4, 3
PERIOD_S = 0.004
KILLS = 3
#: Long enough for the group's session to end and for the next worker to get to work.
BETWEEN_KILLS_S = (7.0, 12.0)


@pytest.mark.parametrize("seed", range(1))
def test_kills_change_no_window_and_no_alert(fresh_settings: Settings, seed: int) -> None:
    killed_and_compared(fresh_settings, seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 120))
def test_kills_change_no_window_and_no_alert_at_length(fresh_settings: Settings, seed: int) -> None:
    killed_and_compared(fresh_settings, seed)


def killed_and_compared(settings: Settings, seed: int) -> None:
    """Kill workers in the middle of traffic; compare the log with one undisturbed run in memory."""
    # given rules, and traffic with bad values, slow spells and a silence
    chance = random.Random(seed)
    RulesClient(settings).set_all(parse_rules(RULES))
    with traffic(settings, seed):
        # when one worker after the other is killed
        for _ in range(KILLS):
            with running_worker(settings, "processors") as worker:
                # Any moment will do: the sleep is the chance, nothing waits on it.
                time.sleep(chance.uniform(*BETWEEN_KILLS_S))
                worker.kill()
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    ended = Micros(SystemClock().now_us())
    with running_worker(settings, "processors"):
        eventually(lambda: decided_until(settings, codec) > ended + 20_000_000, poll_s=1.0)
    # then the log holds the windows and alerts that follow from the measurements, and no other
    wanted = played_again(settings, codec)
    until = decided_until(settings, codec)
    windows = by_id(of(settings, codec, WINDOWS), WindowClosed, until)
    assert len(windows) > 4 * MODELS
    assert windows == by_id(wanted, WindowClosed, until)
    found = by_id(of(settings, codec, ALERTS), AlertState, until)
    assert lives(found) == lives(by_id(wanted, AlertState, until))
    assert {fact.rule for fact in found.values() if isinstance(fact, AlertRaised)} == {
        "SLOW",
        "FPS",
        "SILENT",
    }


@contextmanager
def traffic(settings: Settings, seed: int) -> Iterator[None]:
    """Measurements at a steady rate, until the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=produce, args=(settings, seed, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def produce(settings: Settings, seed: int, stop: threading.Event) -> None:
    """Append measurements; model 1 falls silent, model 2 is slow for a while, some are late."""
    chance = random.Random(seed + 1)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    clock, producer = SystemClock(), make_producer(settings.kafka)
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    started = clock.monotonic()
    while not stop.wait(PERIOD_S):
        second = clock.monotonic() - started
        model = chance.randrange(MODELS)
        if model == 1 and second > 10:
            continue
        fact = replace(
            example_fact(InferenceMeasured),
            event_id=EventId(os.urandom(16)),
            model_id=ModelId(f"model-{model}"),
            node_id=NodeId(f"node-{chance.randrange(NODES)}"),
            captured_at=Micros(clock.now_us() - chance.choice([0, 0, 0, 3, 15]) * 1_000_000),
            latency_ms=500.0 if chance.random() < 0.002 else chance.uniform(20, 40),
            extra_names=(),
            extra_values=(),
            fps=15.0 if model == 2 and 8 < second < 25 else 25.0,
        )
        producer.produce(topic, codec.encode(fact), key_of(fact.model_id, fact.node_id))
        producer.poll(0)
    producer.flush()


def played_again(settings: Settings, codec: Codec) -> list[Fact]:
    """What follows from the log of measurements and rules, by one run without a stop."""
    with closing(ControlLog(settings.kafka, codec)) as control:
        control.wait_until_complete(0)
        rules: list[Appended] = control.records_since(0)
    sources = {
        partition: Source([batch_of(records(settings, INFERENCE, partition), codec)], True)
        for partition in range(settings.kafka.partitions)
    }
    played = Backtest(
        sources, rules, settings.processors.truth_sampling_rate, settings.processors.sample_capacity
    )
    return [fact for _, facts in played.run() for fact in facts]


def batch_of(found: list[LogRecord], codec: Codec) -> Batch:
    """Records as one batch."""
    return Batch(
        np.array([record.offset for record in found]),
        np.array([record.appended_ms for record in found]),
        decode_batch([record.value for record in found], codec),
    )


def of(settings: Settings, codec: Codec, topic: Topic) -> list[Fact]:
    """Every fact of a topic."""
    return [
        codec.decode(record.value)
        for partition in range(settings.kafka.partitions)
        for record in records(settings, topic, partition)
        if record.value
    ]


def records(settings: Settings, topic: Topic, partition: int) -> list[LogRecord]:
    """Every record of a partition."""
    name = topic.full_name(settings.kafka.topic_prefix)
    with closing(PartitionReader(settings.kafka, name, partition)) as reader:
        return list(reader.read(*reader.bounds()))


def decided_until(settings: Settings, codec: Codec) -> int:
    """The end up to which every partition has decided its windows."""
    ends: dict[int, int] = dict.fromkeys(range(settings.kafka.partitions), 0)
    for fact in of(settings, codec, WINDOWS):
        if isinstance(fact, WindowsDecided):
            ends[fact.partition] = max(ends[fact.partition], fact.end)
    return min(ends.values())


def by_id(facts: list[Fact], kind: type[Fact], until: int) -> dict[EventId, Fact]:
    """Facts of a kind about what was decided; the same id never has two contents."""
    found: dict[EventId, Fact] = {}
    for fact in facts:
        at: int = getattr(fact, "end" if kind is WindowClosed else "occurred_at", until)
        # A late revision of the last window may not be there yet.
        if isinstance(fact, kind) and at < until - 10_000_000:
            assert isinstance(fact, AlertState) or found.get(fact.event_id, fact) == fact
            found[fact.event_id] = fact
    return found


def lives(alerts: dict[EventId, Fact]) -> set[tuple[object, ...]]:
    """What happened to which alert and when; of breaches at once, any may have come first."""
    return {
        (type(fact).__name__, fact.alert_id, fact.rule, fact.model_id, fact.occurred_at)
        for fact in alerts.values()
        if isinstance(fact, AlertState)
    }
