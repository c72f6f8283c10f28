"""Times OpenTelemetry spans that carry what a measurement carries; runs in its own environment."""

import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

ATTRIBUTES = {
    "detect_ms": 20.5,
    "mask_ms": 1.2,
    "output_ms": 0.3,
    "latency_ms": 22.0,
    "fps": 25.0,
    "dropped_frames": 0,
    "faces": 1,
    "detection_score": 0.9,
    "faces_unmasked": 0,
    "mask_coverage": 0.1,
    "luma_mean": 120.0,
    "luma_std": 60.0,
    "laplacian_var": 800.0,
    "face_size": 0.3,
}


class Nowhere(SpanExporter):  # type: ignore[misc]
    """An exporter that takes spans and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take the spans."""
        return SpanExportResult.SUCCESS


def main(calls: int, pace_s: float) -> None:
    """Print the microseconds of each span as JSON."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer = provider.get_tracer("bench")
    latencies = []
    due = time.perf_counter()
    for _ in range(calls):
        started = time.perf_counter_ns()
        with tracer.start_as_current_span("inference", attributes=ATTRIBUTES):
            pass
        latencies.append((time.perf_counter_ns() - started) / 1000)
        due += pace_s
        time.sleep(max(0.0, due - time.perf_counter()))
    provider.shutdown()
    print(json.dumps({"latencies_us": latencies, "version": version("opentelemetry-sdk")}))


main(int(sys.argv[1]), float(sys.argv[2]))
