"""Answers the benchmarks that a node is asked for, beside its work."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.jobs import Desk, run_jobs
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.benchmarking.job import BenchmarkJob
from modeltrail.producers.errors import UnknownModel
from modeltrail.producers.registry.reader import RegistryReader
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import ModelId, NodeId, Version
from modeltrail.schemas.topics import DEPLOYMENTS, WORK


def answer_benchmarks(
    settings: Settings,
    node_id: NodeId,
    stop: threading.Event,
    on_ready: Callable[[], None] = lambda: None,
    *,
    providers: Sequence[str] | None = None,
    threads: int = 1,
) -> None:
    """Answer what this node is asked for until `stop` is set; blocks, so give it a thread.

    The measuring is done in processes of its own, which end with this thread.

    Args:
        settings: where the servers are.
        node_id: this node.
        stop: ends the run; a benchmark under way is given up and asked for again.
        on_ready: called once, when requests are heard.
        providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
        threads: threads of one run, as many as the node's sessions have.

    Raises:
        ConfigError: no Kafka or schema registry is configured.
    """
    job = BenchmarkJob(
        model_files(settings),
        SystemClock(),
        node_id=node_id,
        providers=providers,
        threads=threads,
    )
    desk = Desk(f"benchmarks.{node_id}", WORK, DEPLOYMENTS, (job,))
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    run_jobs(settings.kafka, codec, desk, stop, on_ready)


def model_files(settings: Settings) -> Callable[[ModelId, Version], Path]:
    """Fetches versions' files, verified, from the registry that the settings name."""
    reader = RegistryReader(settings)

    def fetch(model_id: ModelId, version: Version) -> Path:
        model = reader.get_model(model_id, version)
        if model is None:
            raise UnknownModel(f"{model_id!r:.80} {version} is not registered: register it first")
        return reader.fetch_artifact(model)

    return fetch
