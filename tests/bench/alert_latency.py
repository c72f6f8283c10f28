"""Measures how long an alert takes: from a bad value, and from the end of a bad window.

Twenty models on 100 nodes send at a steady rate. In every bucket of 10 s a third of the models is
bad on average, and twice a second one value is; so every alert ends before it is raised again.
"""

import os
import threading
import time
from dataclasses import replace
from typing import Any

from modeltrail.infra.clock import MICROS, SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_consumer, make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import AlertRaised, InferenceMeasured
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import ALERTS, INFERENCE, key_of
from tests.bench.events import (
    MODELS,
    NODES,
    append,
    at_rate,
    captured,
    measurement,
    measurement_templates,
)
from tests.bench.processing import running_processors
from tests.bench.watching import MEAN_LIMITS, VALUE_LIMIT_MS, VALUE_METRICS, watch
from tests.waiting import eventually

RATE = 5_000
SECONDS = 100
_WARM_UP_S = 12
_BAD_VALUE_EVERY = RATE // 2
_BUCKET_US = 10 * MICROS
#: A model is bad in one bucket of so many.
_TURNS = 3


class Alerts:
    """Notes the alerts on the topic, and when each was there, microseconds since the epoch."""

    def __init__(self, settings: Settings) -> None:
        self.raised: list[tuple[AlertRaised, int]] = []
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
                self.raised.append((fact, clock.now_us()))
        consumer.close()


def alert_latencies(settings: Settings) -> tuple[list[float], list[float]]:
    """Milliseconds at 5,000 events a second: produce to alert, and window end to alert."""
    watch(settings, models=MODELS)
    alerts = Alerts(settings)

    def values_raised() -> dict[float, int]:
        return {fact.value: at for fact, at in alerts.raised if fact.rule.endswith("_VALUE")}

    with running_processors(settings):
        produced, first_us, last_us = _produce(settings)
        eventually(lambda: produced.keys() <= values_raised().keys())
    alerts.close()
    raised = values_raised()
    values = [(raised[value] - at) / 1000 for value, at in produced.items()]
    windows = [
        (at - fact.occurred_at) / 1000
        for fact, at in alerts.raised
        if fact.rule.endswith("_MEAN") and first_us < fact.occurred_at < last_us
    ]
    return values, windows


def _produce(settings: Settings) -> tuple[dict[float, int], int, int]:
    """Append at a steady rate.

    Gives when each bad value was produced, then the times between which windows count:
    microseconds since the epoch.
    """
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    good = measurement_templates(codec)
    bad = [(key, codec.encode(_bad_window(number))) for number, (key, _) in enumerate(good)]
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    producer = make_producer(settings.kafka)
    clock = SystemClock()
    produced: dict[float, int] = {}
    first_us = clock.now_us() + _WARM_UP_S * MICROS
    for number in at_rate(RATE, RATE * SECONDS, producer):
        now_us = clock.now_us()
        place = number % len(good)
        is_bad = (place // NODES + now_us // _BUCKET_US) % _TURNS == 0
        key, value = (bad if is_bad else good)[place]
        append(producer, topic, key, captured(value, os.urandom(16), now_us))
        if now_us > first_us and number % _BAD_VALUE_EVERY == 0:
            fact = _bad_value(number // _BAD_VALUE_EVERY, now_us)
            append(producer, topic, key_of(fact.model_id, fact.node_id), codec.encode(fact))
            produced[_bad_number(number // _BAD_VALUE_EVERY)] = clock.now_us()
    producer.flush()
    return produced, first_us, clock.now_us()


def _bad_window(place: int) -> InferenceMeasured:
    plain = measurement(SystemClock().now_us(), place // NODES, place % NODES)
    return replace(plain, fps=MEAN_LIMITS["fps"] / 2, detection_score=0.01)


def _bad_value(turn: int, now_us: int) -> InferenceMeasured:
    broken: dict[str, Any] = {VALUE_METRICS[turn // MODELS % len(VALUE_METRICS)]: _bad_number(turn)}
    plain = measurement(now_us, turn % MODELS, 0)
    return replace(plain, event_id=EventId(os.urandom(16)), **broken)


def _bad_number(turn: int) -> float:
    """Another one for each, by which its alert is known."""
    return VALUE_LIMIT_MS + 1 + turn
