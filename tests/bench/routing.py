"""Measures how long a routing takes from its append until twenty nodes serve it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.masker.detector import session_options
from modeltrail.producers.registry.artifacts import Artifact, ArtifactStore
from modeltrail.producers.serving.node import ServingNode
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, NodeReported, RoutedArm, RoutingSet
from modeltrail.schemas.ids import Micros, ModelId, Version, new_event_id
from modeltrail.schemas.topics import NODES, ROUTING, Topic, key_of
from tests.waiting import eventually

NODE_COUNT = 20
CHANGES = 15
_BETWEEN_S = 2.0
_MODEL, _ENVIRONMENT = ModelId("centerface"), "production"


def routing_latencies(settings: Settings) -> list[float]:
    """Milliseconds from the append of each routing to each node's report that it serves it.

    Both times are Kafka's append times. Every second change names bytes that the nodes do not hold
    any more, so that they fetch, verify, open and run them; all nodes share this machine.
    """
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as nodes:
        own = replace(
            settings, model_registry=replace(settings.model_registry, path=f"{folder}/artifacts")
        )
        artifacts = _artifacts(own, Path(folder))
        started = [
            nodes.enter_context(
                ServingNode(
                    own,
                    node_id=f"node-{number}",
                    environment=_ENVIRONMENT,
                    providers=["CPUExecutionProvider"],
                    session_options=session_options,
                )
            )
            for number in range(NODE_COUNT)
        ]
        for revision in range(1, CHANGES + 1):
            _append(own, codec, _routing(revision, artifacts[revision % 2]))
            eventually(partial(_all_serve, started, revision))
            # Reports follow; to look for them in the log now would take the nodes' own time.
            time.sleep(_BETWEEN_S)
    return _measured(own, codec)


def _artifacts(settings: Settings, folder: Path) -> list[Artifact]:
    store = ArtifactStore(settings.model_registry.path, folder / "cache", largest_mb=64)
    model = with_free_input_size(pinned_model())
    kept = []
    for number in range(2):
        path = folder / f"{number}.onnx"
        # An unknown field at the end: other bytes, the same network.
        path.write_bytes(model + bytes((0xF8, 0x07, number)))
        kept.append(store.put(path))
    return kept


def _routing(revision: int, artifact: Artifact) -> RoutingSet:
    arm = RoutedArm(
        arm="champion",
        version=Version(f"v{revision}.0.0"),
        artifact_sha256=artifact.sha256,
        artifact_uri=artifact.uri,
        artifact_size=artifact.size,
        declared_metrics=(),
        share=10_000,
    )
    return RoutingSet(
        new_event_id(),
        Micros(time.time_ns() // 1000),
        environment=_ENVIRONMENT,
        model_id=_MODEL,
        revision=revision,
        salt="bench",
        arms=(arm,),
    )


def _append(settings: Settings, codec: Codec, routing: RoutingSet) -> None:
    producer = make_producer(settings.kafka)
    name = ROUTING.full_name(settings.kafka.topic_prefix)
    producer.produce(name, codec.encode(routing), key_of(_ENVIRONMENT, _MODEL))
    assert producer.flush(30) == 0


def _all_serve(nodes: list[ServingNode], revision: int) -> bool:
    return all(any(arm.revision == revision for arm in node.served_arms()) for node in nodes)


def _measured(settings: Settings, codec: Codec) -> list[float]:
    asked = {
        fact.revision: appended_ms
        for appended_ms, fact in _facts(settings, codec, ROUTING)
        if isinstance(fact, RoutingSet)
    }
    served: dict[tuple[str, int], int] = {}
    for appended_ms, fact in _facts(settings, codec, NODES):
        if isinstance(fact, NodeReported):
            for arm in fact.serves:
                served.setdefault((fact.node_id, arm.revision), appended_ms)
    latencies = [float(at - asked[revision]) for (_, revision), at in served.items()]
    assert len(latencies) == NODE_COUNT * CHANGES
    return latencies


def _facts(settings: Settings, codec: Codec, topic: Topic) -> Iterator[tuple[int, Fact]]:
    for partition in range(settings.kafka.partitions):
        name = topic.full_name(settings.kafka.topic_prefix)
        with closing(PartitionReader(settings.kafka, name, partition)) as reader:
            for record in reader.read(*reader.bounds()):
                if record.value is not None:
                    yield record.appended_ms, codec.decode(record.value)
