"""Measures how long a routing takes from its append until twenty nodes serve it."""

import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.masker.detector import session_options
from modeltrail.producers.registry.artifacts import Artifact, ArtifactStore
from modeltrail.producers.serving.node import ServingNode
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import NodeReported, RoutedArm, RoutingSet
from modeltrail.schemas.ids import Micros, ModelId, Version, new_event_id
from modeltrail.schemas.topics import NODES, ROUTING, key_of
from tests.waiting import eventually

NODE_COUNT = 20
CHANGES = 15
_POLL_S = 0.2
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
        for number in range(NODE_COUNT):
            nodes.enter_context(
                ServingNode(
                    own,
                    node_id=f"node-{number}",
                    environment=_ENVIRONMENT,
                    providers=["CPUExecutionProvider"],
                    session_options=session_options,
                )
            )
        reports = _Reports(own, codec)
        for revision in range(1, CHANGES + 1):
            _append(own, codec, _routing(revision, artifacts[revision % 2]))
            eventually(partial(reports.are_of_all, revision))
        reports.close()
    asked = _append_times(own, codec)
    return [at - asked[revision] for (_, revision), at in reports.first_ms.items()]


class _Reports:
    """When Kafka appended the first report of each node that it serves a revision, ms."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self.first_ms: dict[tuple[str, int], float] = {}
        self._codec = codec
        partitions = dict.fromkeys(range(settings.kafka.partitions), 0)
        self._cursor = KafkaLog(settings.kafka).cursor(NODES, partitions)

    def are_of_all(self, revision: int) -> bool:
        """Read on; whether every node serves that revision."""
        for record in self._cursor.poll(_POLL_S):
            fact = self._codec.decode(record.value or b"")
            if isinstance(fact, NodeReported):
                for arm in fact.serves:
                    place = (fact.node_id, arm.revision)
                    self.first_ms.setdefault(place, record.appended_at / 1000)
        return sum(served == revision for _, served in self.first_ms) == NODE_COUNT

    def close(self) -> None:
        self._cursor.close()


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


def _append_times(settings: Settings, codec: Codec) -> dict[int, float]:
    """When Kafka appended each revision, ms."""
    found: dict[int, float] = {}
    for partition in range(settings.kafka.partitions):
        name = ROUTING.full_name(settings.kafka.topic_prefix)
        with closing(PartitionReader(settings.kafka, name, partition)) as reader:
            for record in reader.read(*reader.bounds()):
                fact = codec.decode(record.value or b"")
                if isinstance(fact, RoutingSet):
                    found[fact.revision] = record.appended_ms
    return found
