"""Runs every benchmark on a stack of its own and writes `bench.json`; or prints some of them.

python -m tests.bench routing latency
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.infra.stack import running_stack
from modeltrail.infra.topics import create_topics
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.catalog import schema_files
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version
from modeltrail.sinks.migrate import migrate
from tests.bench import bulk
from tests.bench.alert_latency import alert_latencies
from tests.bench.consuming import (
    environment_of,
    projector_rate,
    raw_consume_rate,
    stack_memory,
)
from tests.bench.events import MODELS, TEN_METRICS, append_measurements
from tests.bench.logging_metrics import add_metric_logging
from tests.bench.peers.decoding import decoding_rates
from tests.bench.processing import process
from tests.bench.report import Report
from tests.bench.routing import NODE_COUNT, routing_latencies
from tests.bench.row_latency import RATE, row_latencies
from tests.bench.searching import add_searches
from tests.bench.soaking import EVENTS as SOAKED_EVENTS
from tests.bench.soaking import soak
from tests.bench.steady import RATE as STEADY_RATE
from tests.bench.steady import steady_cost
from tests.bench.tracking import otel_span_latencies, track_latencies
from tests.bench.watching import watch

EVENTS = 1_000_000
SCALES = (10, 100, 1_000)
#: Half a minute of appending, so that several buckets are cut.
SCALE_EVENTS = 4_000_000
OUTPUT = Path("bench.json")
_console = Console()


Part = Callable[[Settings, Report, Path], None]


def main(chosen: Sequence[str]) -> None:
    """Measure the chosen parts, or all; what was measured is shown even if one part fails."""
    report = Report()
    parts = {name: PARTS[name] for name in chosen or PARTS}
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            running_stack(Path(folder), workers=False) as settings,
        ):
            _prepare(settings)
            for part in parts.values():
                part(settings, report, Path(folder))
            report.add("stack_rss", stack_memory(Path(folder)), "MiB")
        if not chosen:
            report.write(OUTPUT)
    finally:
        report.show()


def _prepare(settings: Settings) -> None:
    create_topics(settings.kafka)
    ConfluentSchemaIds(settings.schema_registry).publish(schema_files())
    migrate(make_client(settings.clickhouse, database=""), settings.clickhouse.database)


def _tracking(settings: Settings, report: Report, _folder: Path) -> None:
    _say("track(): 10,000 calls at 1,000 a second, then as many OpenTelemetry spans")
    model = RegisteredModel(
        model_id=ModelId("bench"),
        version=Version("v1.0.0"),
        artifact_uri="",
        artifact_sha256=Sha256(bytes(32)),
        artifact_size=1,
        metadata={},
        declared_metrics=(),
        requested_by="bench",
        registered_at=Micros(0),
    )
    ours = statistics.quantiles(track_latencies(settings, model), n=100)
    spans, _version = otel_span_latencies()
    peer = statistics.quantiles(spans, n=100)
    report.add("otel_span_p50", peer[49], "us")
    report.add("otel_span_p99", peer[98], "us")
    report.add("sdk_track_p50", ours[49], "us", otel_span_p50=peer[49])
    report.add("sdk_track_p99", ours[98], "us", otel_span_p99=peer[98])


def _experiments(settings: Settings, report: Report, _folder: Path) -> None:
    _say("log_metrics() beside MLflow with SQLite")
    add_metric_logging(_own(settings, "metrics"), report)
    _say(f"{bulk.RUNS:,} runs and their registry appended, projected and searched")
    bulk.fill(settings)
    add_searches(settings, report)


def _consuming(settings: Settings, report: Report, folder: Path) -> None:
    bulk = _own(settings, "bulk")
    _say(f"appending {EVENTS:,} measurements")
    started = time.perf_counter()
    append_measurements(bulk, EVENTS)
    report.add("append", EVENTS / (time.perf_counter() - started), "events/s")
    _say("bare consume(), peers that only decode, the projector, the processors, bare consume()")
    before = raw_consume_rate(bulk, EVENTS)
    # The processors mark time in the topic, which the peers could not decode.
    peers = decoding_rates(bulk, EVENTS, folder)
    rate, memory = projector_rate(bulk, environment_of(bulk), EVENTS)
    watch(bulk, MODELS)
    processed = process(bulk, EVENTS)
    raw = statistics.mean([before, raw_consume_rate(bulk, EVENTS)])
    report.add("raw_consume", raw, "events/s")
    report.add("projector", rate, "events/s", raw_consume=raw)
    report.add("projector_rss", memory, "MiB")
    for peer, (peer_rate, _version) in peers.items():
        report.add(peer, peer_rate, "events/s", raw_consume=raw)
    beside = {peer: peer_rate for peer, (peer_rate, _version) in peers.items()}
    report.add("processors", processed.rate, "events/s", raw_consume=raw, **beside)
    report.add("worker_rss", processed.memory, "MiB")
    _say("the database dropped and rebuilt from the log")
    client = make_client(bulk.clickhouse, database="")
    client.execute(f"DROP DATABASE {bulk.clickhouse.database}")
    migrate(client, bulk.clickhouse.database)
    rebuilt, _memory = projector_rate(bulk, environment_of(bulk), EVENTS)
    report.add("rebuild", rebuilt, "events/s", raw_consume=raw)


def _scaling(settings: Settings, report: Report, _folder: Path) -> None:
    for models in SCALES:
        _say(f"{SCALE_EVENTS:,} measurements of {models:,} models, ten metrics each")
        own = _own(settings, f"scale_{models}")
        append_measurements(own, SCALE_EVENTS, models, TEN_METRICS)
        watch(own, models)
        processed = process(own, SCALE_EVENTS)
        _add_scaled(report, "cpu_per_event", models, processed.cpu_us, "us")
        _add_scaled(report, "worker_rss", models, processed.memory, "MiB")


def _steady(settings: Settings, report: Report, _folder: Path) -> None:
    """Two curves: of a fleet that sends so much, and of models that each send so much."""
    most = SCALES[-1]
    for models in SCALES:
        _say(f"{STEADY_RATE:,} measurements a second of {models:,} models, ten metrics each")
        cost = steady_cost(_own(settings, f"steady_{models}"), models)
        _add_scaled(report, "steady_cpu_per_event", models, cost.cpu_us, "us")
        _add_scaled(report, "steady_rss", models, cost.memory, "MiB")
    for models in SCALES[:-1]:
        rate = STEADY_RATE * models // most
        _say(f"{rate:,} measurements a second of {models:,} models, as many each")
        cost = steady_cost(_own(settings, f"growing_{models}"), models, rate)
        _add_scaled(report, "growing_cpu_per_event", models, cost.cpu_us, "us")
    shared = report.value(f"steady_cpu_per_event_{most}_models")
    _add_scaled(report, "growing_cpu_per_event", most, shared, "us")


def _add_scaled(report: Report, what: str, models: int, value: float, unit: str) -> None:
    """A point of a curve, beside that of the fewest models."""
    first = f"{what}_{SCALES[0]}_models"
    beside = {} if models == SCALES[0] else {first: report.value(first)}
    report.add(f"{what}_{models}_models", value, unit, **beside)


def _soaking(settings: Settings, report: Report, _folder: Path) -> None:
    _say(f"{SOAKED_EVENTS:,} measurements, with a slowed agent and at full speed")
    soaked = soak(_own(settings, "soak"), MODELS)
    for name, peaks in (("slowed", soaked.slowed), ("soaked", soaked.full_speed)):
        for number, peak in enumerate(peaks, 1):
            beside = {} if number == 1 else {f"worker_rss_{name}_1": peaks[0]}
            report.add(f"worker_rss_{name}_{number}", peak, "MiB", **beside)


def _latency(settings: Settings, report: Report, _folder: Path) -> None:
    _say(f"rows at {RATE:,} events a second")
    latencies = statistics.quantiles(row_latencies(_own(settings, "latency")), n=100)
    report.add("row_latency_p50", latencies[49], "ms")
    report.add("row_latency_p99", latencies[98], "ms")


def _alerts(settings: Settings, report: Report, _folder: Path) -> None:
    _say(f"alerts at {RATE:,} events a second")
    values, windows = alert_latencies(_own(settings, "alerts"))
    for name, latencies in (("alert_latency", values), ("windowed_alert_latency", windows)):
        quantiles = statistics.quantiles(latencies, n=100)
        report.add(f"{name}_p50", quantiles[49], "ms")
        report.add(f"{name}_p99", quantiles[98], "ms")


def _routing(settings: Settings, report: Report, _folder: Path) -> None:
    _say(f"a routing to {NODE_COUNT} nodes")
    latencies = statistics.quantiles(routing_latencies(_own(settings, "routing")), n=100)
    report.add("routing_convergence_p50", latencies[49], "ms")
    report.add("routing_convergence_p99", latencies[98], "ms")


def _own(settings: Settings, name: str) -> Settings:
    """The same servers under topics and a database of this benchmark alone."""
    own = replace(
        settings,
        kafka=replace(settings.kafka, topic_prefix=f"{name}."),
        clickhouse=replace(settings.clickhouse, database=name),
    )
    _prepare(own)
    return own


def _say(what: str) -> None:
    _console.print(f"[bold]{what}[/]")


# Latencies first: a broker that was given tens of millions of events still writes them to its disk.
PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "tracking": _tracking,
        "experiments": _experiments,
        "consuming": _consuming,
        "latency": _latency,
        "alerts": _alerts,
        "routing": _routing,
        "scaling": _scaling,
        "steady": _steady,
        "soaking": _soaking,
    }
)
main(sys.argv[1:])
