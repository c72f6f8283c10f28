"""Apache Kafka: one KRaft node, broker and controller, and the step that formats its storage."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from modeltrail.infra.stack import jvm
from modeltrail.infra.stack.layout import Layout, write_private
from modeltrail.infra.stack.maven import Locked, cache_folder
from modeltrail.infra.stack.part import Finishes, LogLine, Part
from modeltrail.infra.stack.ports import LOOPBACK

PORTS = ("kafka", "kafka_controller")
_STARTED = "Kafka Server started"
# Warnings and the line that says it serves; INFO would print every setting at each start.
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


def kafka_parts(
    layout: Layout, ports: Mapping[str, int], jars: list[Locked], heap_mb: int, recorder: str | None
) -> list[Part]:
    """The broker, and before its first start the step that formats its storage."""
    data = layout.root / "kafka"
    properties = layout.root / "kafka.properties"
    write_private(properties, _properties(data, ports))
    cache = cache_folder()
    classpath = ":".join(str(jar.file(cache)) for jar in jars)
    aot = jvm.AotCache(cache, "kafka", classpath)
    formatting = Part(
        name="kafka-format",
        argv=jvm.command(
            heap_mb,
            (*_LOGGING, *aot.use()),
            (
                *("-cp", classpath, "kafka.tools.StorageTool", "format", "--ignore-formatted"),
                *("-t", _new_cluster_id(), "-c", str(properties)),
            ),
        ),
        env=jvm.java_environment(),
        ready=Finishes(),
        depends_on=("java",),
    )
    broker = Part(
        name="kafka",
        argv=jvm.command(
            heap_mb,
            (*_LOGGING, *aot.use_or_record(recorder)),
            ("-cp", classpath, "kafka.Kafka", str(properties)),
        ),
        env=jvm.java_environment(),
        ready=LogLine(_STARTED),
        depends_on=("java",),
        ports={name: ports[name] for name in PORTS},
        provides={"kafka": {"bootstrap_servers": f"{LOOPBACK}:{ports['kafka']}"}},
        stop_timeout_s=jvm.STOP_TIMEOUT_S,
    )
    if (data / "meta.properties").exists():
        return [broker]
    return [formatting, replace(broker, depends_on=("java", formatting.name))]


def _new_cluster_id() -> str:
    """As Kafka makes them: one that began with a dash would be taken for an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _properties(data: Path, ports: Mapping[str, int]) -> str:
    broker = f"{LOOPBACK}:{ports['kafka']}"
    controller = f"{LOOPBACK}:{ports['kafka_controller']}"
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"BROKER://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"BROKER://{broker}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "BROKER",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        # Time is when the log took a fact, not what a node's clock said.
        "log.message.timestamp.type": "LogAppendTime",
        # The log is the truth: what may go is said topic by topic.
        "log.retention.ms": -1,
        # A stack that was down for weeks still knows how far its groups had read.
        "offsets.retention.minutes": 525_600,
        **dict.fromkeys(_SINGLE_COPY, 1),
        **dict.fromkeys(_INTERNAL_PARTITIONS, 4),
        # One machine: nobody else is about to join, and a killed worker is soon replaced.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1_000,
        "log.segment.delete.delay.ms": 1_000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        # The default takes 128 MiB of the heap.
        "log.cleaner.dedupe.buffer.size": 16_777_216,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


_SINGLE_COPY = (
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.min.isr",
)
_INTERNAL_PARTITIONS = ("offsets.topic.num.partitions", "transaction.state.log.num.partitions")
