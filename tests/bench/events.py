"""Makes the measurements that every benchmark reads, and appends them to the log."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from confluent_kafka import Producer

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.avro_scalars import avro_long
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import InferenceMeasured
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Sha256,
    Version,
)
from modeltrail.schemas.topics import INFERENCE, key_of

MODELS = 20
NODES = 100
METRICS = (
    *("detect_ms", "mask_ms", "output_ms", "latency_ms", "fps", "dropped_frames", "faces"),
    *("detection_score", "faces_unmasked", "mask_coverage"),
    *("luma_mean", "luma_std", "laplacian_var", "face_size"),
)
#: Those that the benchmarks' rules and profiles are about, and one more.
TEN_METRICS = (
    *("detect_ms", "mask_ms", "latency_ms", "fps", "dropped_frames", "detection_score"),
    *("luma_mean", "luma_std", "laplacian_var", "face_size"),
)
_GOLDEN_RATIO = 0.6180339887498949
_HEAD = 5
_ID = 16
#: Into so many a second the sending is cut.
_SLICES = 100


def append_measurements(
    settings: Settings, count: int, models: int = MODELS, metrics: Sequence[str] = METRICS
) -> None:
    """Append `count` distinct measurements of each model on 100 nodes, captured as appended."""
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    templates = measurement_templates(codec, models, metrics)
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    producer = make_producer(settings.kafka, **{"queue.buffering.max.messages": 200_000})
    clock = SystemClock()
    for number in range(count):
        key, value = templates[number % len(templates)]
        append(producer, topic, key, captured(value, os.urandom(_ID), clock.now_us()))
    producer.flush()


def append(producer: Producer, topic: str, key: bytes, value: bytes) -> None:
    """Append one record, waiting while the producer's queue is full."""
    while True:
        try:
            producer.produce(topic, key=key, value=value)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def at_rate(rate: int, count: int, producer: Producer) -> Iterator[int]:
    """The numbers below `count` at so many a second; what `producer` was told is served between."""
    started = time.perf_counter()
    for number in range(count):
        if number % max(1, rate // _SLICES) == 0:
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            producer.poll(0)
        yield number


def captured(value: bytes, event_id: bytes, captured_us: int) -> bytes:
    """The same framed datum under another event_id and time of capture."""
    # Every time of this century takes the same number of bytes.
    at = avro_long(captured_us)
    return value[:_HEAD] + event_id + at + value[_HEAD + _ID + len(at) :]


def measurement_templates(
    codec: Codec, models: int = MODELS, metrics: Sequence[str] = METRICS
) -> list[tuple[bytes, bytes]]:
    """Keys and framed measurements, one for each model on each of 100 nodes."""
    now = SystemClock().now_us()
    return [
        (
            key_of(f"model-{model}", f"node-{node}"),
            codec.encode(measurement(now, model, node, metrics)),
        )
        for model in range(models)
        for node in range(NODES)
    ]


def measurement(
    now_us: int, model: int, node: int, metrics: Sequence[str] = METRICS
) -> InferenceMeasured:
    """What one of the nodes measures of one of the models."""
    # The nodes of each model are spread evenly over all that is measured.
    wobble = (model * NODES + node) * _GOLDEN_RATIO % 1
    values: dict[str, Any] = {
        "detect_ms": 20 + 20 * wobble,
        "mask_ms": 1 + wobble,
        "output_ms": 0.3,
        "latency_ms": 22 + 21 * wobble,
        "fps": 25.0,
        "dropped_frames": node % 3,
        "faces": 1,
        "detection_score": 0.5 + wobble / 2,
        "faces_unmasked": 0,
        "mask_coverage": 0.1 * wobble,
        "luma_mean": 255 * wobble,
        "luma_std": 60.0,
        "laplacian_var": 800 * wobble,
        "face_size": 0.3,
    }
    plain = InferenceMeasured(
        event_id=EventId(bytes(_ID)),
        captured_at=Micros(now_us + node * 1000),
        node_id=NodeId(f"node-{node}"),
        session_id=SessionId(f"node-{node}-session"),
        frame=node,
        model_id=ModelId(f"model-{model}"),
        version=Version("v1.0.0"),
        artifact_sha256=Sha256(model.to_bytes(32, "big")),
        execution_provider="CPUExecutionProvider",
        environment="production",
        arm="champion",
        sampling_rate=1.0,
    )
    return replace(plain, **{name: values[name] for name in metrics})
