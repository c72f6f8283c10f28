"""Measures how long an alert takes: from a bad value, and from the end of a bad window."""

import os
import threading
import time
from dataclasses import replace

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_consumer, make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import AlertRaised, InferenceMeasured
from modeltrail.schemas.ids import EventId, ModelId, NodeId
from modeltrail.schemas.topics import ALERTS, INFERENCE, key_of
from tests.bench.events import append, captured, measurement, measurement_templates
from tests.bench.processing import running_processors
from tests.bench.watching import MEAN_LIMIT_FPS, VALUE_LIMIT_MS, watch
from tests.waiting import eventually

RATE = 5_000
SECONDS = 60
_SLICE = 50
_WARM_UP_S = 12
#: Bad models a second of each kind; every one raises once.
_BAD_A_SECOND = 5


class Alerts:
    """Notes when each model's alert is on the topic, microseconds since the epoch."""

    def __init__(self, settings: Settings) -> None:
        self.raised: dict[str, tuple[AlertRaised, int]] = {}
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        codec = Codec(ConfluentSchemaIds(self._settings.schema_registry))
        consumer = make_consumer(
            self._settings.kafka, f"alerts-{time.time_ns()}", **{"fetch.wait.max.ms": 10}
        )
        consumer.subscribe([ALERTS.full_name(self._settings.kafka.topic_prefix)])
        clock = SystemClock()
        while not self._stop.is_set():
            record = consumer.poll(0.1)
            if record is None or record.error():
                continue
            fact = codec.decode(record.value() or b"")
            if isinstance(fact, AlertRaised):
                self.raised[fact.model_id] = fact, clock.now_us()
        consumer.close()


def alert_latencies(settings: Settings) -> tuple[list[float], list[float]]:
    """Milliseconds at 5,000 events a second: produce to alert, and window end to alert."""
    watch(settings, models=20)
    alerts = Alerts(settings)
    with running_processors(settings):
        produced = _produce(settings)
        eventually(lambda: produced.keys() <= alerts.raised.keys())
    alerts.close()
    values = [
        (alerts.raised[name][1] - at) / 1000
        for name, at in produced.items()
        if name.startswith("value-")
    ]
    windows = [
        (at - fact.occurred_at) / 1000
        for name, (fact, at) in alerts.raised.items()
        if name.startswith("window-")
    ]
    return values, windows


def _produce(settings: Settings) -> dict[str, int]:
    """Append at a steady rate; when each bad model was produced, microseconds since the epoch."""
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    templates = measurement_templates(codec)
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    producer = make_producer(settings.kafka)
    clock = SystemClock()
    produced: dict[str, int] = {}
    started = time.perf_counter()
    for number in range(RATE * SECONDS):
        second = number / RATE
        if number % _SLICE == 0:
            time.sleep(max(0.0, started + second - time.perf_counter()))
            producer.poll(0)
        key, value = templates[number % len(templates)]
        append(producer, topic, key, captured(value, os.urandom(16), clock.now_us()))
        if second > _WARM_UP_S and number % (RATE // _BAD_A_SECOND) == 0:
            for bad in _bad_ones(number, clock.now_us()):
                append(producer, topic, key_of(bad.model_id, bad.node_id), codec.encode(bad))
                produced[bad.model_id] = clock.now_us()
    producer.flush()
    return produced


def _bad_ones(number: int, now_us: int) -> list[InferenceMeasured]:
    plain = replace(
        measurement(now_us, 0, 0), event_id=EventId(os.urandom(16)), node_id=NodeId(f"n-{number}")
    )
    return [
        replace(plain, model_id=ModelId(f"value-{number}"), latency_ms=2 * VALUE_LIMIT_MS),
        replace(plain, model_id=ModelId(f"window-{number}"), fps=MEAN_LIMIT_FPS / 2),
    ]
