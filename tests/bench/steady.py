"""Measures what an event costs the processors while a fleet sends at a steady rate.

In a backlog events come as fast as they are read, so a window of a series holds many more of them
than a fleet ever sends; here it holds as many as it does in production, and the newest 1,000 of
each series are there, as they are of a fleet that has run for a while.
"""

import os
from dataclasses import dataclass

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.topics import INFERENCE
from tests.bench.events import TEN_METRICS, append, at_rate, captured, measurement_templates
from tests.bench.processing import cpu_s, running_processors
from tests.bench.watching import watch

RATE = 5_000
#: Drift is judged once a minute, and the newest of slow series are told as often.
_MEASURED_S = 60
#: Until then the first windows of each series are made, and references compiled.
_BEGIN_S = 30
_NEWEST = 1_000
# A prime, so that all models send all the time.
_STRIDE = 7_919


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU an event, all threads; the most memory taken, MiB."""

    cpu_us: float
    memory: float


def steady_cost(settings: Settings, models: int, rate: int = RATE) -> Cost:
    """What so many events a second of all models with ten metrics each cost, on 100 nodes."""
    watch(settings, models)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    templates = measurement_templates(codec, models, TEN_METRICS)
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    producer, clock = make_producer(settings.kafka), SystemClock()
    warm, measured = rate * _BEGIN_S + _NEWEST * models, rate * _MEASURED_S
    most, used = 0.0, 0.0
    with running_processors(settings) as worker:
        for number in at_rate(rate, warm + measured, producer):
            if number % rate == 0:
                most = max(most, worker.memory_info().rss / 2**20)
            if number == warm:
                used = cpu_s(worker)
            key, value = templates[number * _STRIDE % len(templates)]
            append(producer, topic, key, captured(value, os.urandom(16), clock.now_us()))
        producer.flush()
        return Cost((cpu_s(worker) - used) / measured * 1e6, most)
