"""Measures what one `InferenceMonitor.track()` costs its caller, beside an OpenTelemetry span."""

import time
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.registry.fold import RegisteredModel
from tests.bench.peers.environment import ask_peer

CALLS = 10_000
PACE_S = 0.001


def track_latencies(settings: Settings, model: RegisteredModel) -> list[float]:
    """Microseconds of each of 10,000 calls at 1,000 calls a second, to a real Kafka."""
    latencies = []
    with InferenceMonitor(settings, model=model, node_id="bench") as monitor:
        due = time.perf_counter()
        for frame in range(CALLS):
            started = time.perf_counter_ns()
            monitor.track(
                frame,
                detect_ms=20.5,
                mask_ms=1.2,
                output_ms=0.3,
                latency_ms=22.0,
                fps=25.0,
                dropped_frames=0,
                faces=1,
                detection_score=0.9,
                faces_unmasked=0,
                mask_coverage=0.1,
                luma_mean=120.0,
                luma_std=60.0,
                laplacian_var=800.0,
                face_size=0.3,
            )
            latencies.append((time.perf_counter_ns() - started) / 1000)
            due += PACE_S
            time.sleep(max(0.0, due - time.perf_counter()))
    assert monitor.stats().sent == CALLS, monitor.stats()
    return latencies


def otel_span_latencies() -> tuple[list[float], str]:
    """The same calls as OpenTelemetry spans in an environment of their own, and its version."""
    script = Path(__file__).parent / "peers" / "otel_span.py"
    content = ask_peer("otel", script, str(CALLS), str(PACE_S))
    return content["latencies_us"], content["version"]
