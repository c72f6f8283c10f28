"""Composes the stream processors into one Faust app: the only module that knows them all."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import faust

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.log_reader import LogRecord, PartitionReader, read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.processors.alerting.rules_agent import rejection_of
from modeltrail.processors.appending import Appender, Outgoing
from modeltrail.processors.batching import (
    BATCHES_A_POLL,
    FetchBatch,
    abreast,
    batched_topic,
    use_batched_transport,
)
from modeltrail.processors.connections import brokers, credentials
from modeltrail.processors.deployments.agent import DeploymentsAgent
from modeltrail.processors.deployments.log import KafkaDeploymentLog
from modeltrail.processors.deployments.partition import DeploymentsPartition
from modeltrail.processors.drift.fold import DriftFold
from modeltrail.processors.folding import WindowsAgent
from modeltrail.processors.memory import FreeMemory
from modeltrail.processors.patience import patiently
from modeltrail.processors.publishing import Publisher
from modeltrail.processors.read_back import ReadBackCodec
from modeltrail.processors.registry.agent import RegistryAgent
from modeltrail.processors.replaying import FoldedPartition, replay_from_log
from modeltrail.processors.serving import die, or_die, serve
from modeltrail.processors.windows.agent import MeasurementsAgent
from modeltrail.processors.windows.merge import MergeFold
from modeltrail.processors.windows.partition import PartitionFold
from modeltrail.processors.windows.samples import newest_samples
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import DEPLOYMENTS, INFERENCE, REGISTRY, RULES, WINDOWS, Topic

#: How often a cut of time is looked for in the log once it is due.
_MARK_RETRY_S = 0.25
_MEMORY_EVERY_S = 1.0


def run_processors(settings: Settings, on_ready: Callable[[], None], data_dir: Path) -> None:
    """Run the processors until SIGTERM or SIGINT; offsets are committed on the way out.

    Raises:
        ConfigError: no Kafka or schema registry is configured.
    """
    # A decision makes tens of thousands of facts, which the collector would walk again and again.
    gc.set_threshold(200_000, 20, 100)
    codec = ReadBackCodec(ConfluentSchemaIds(settings.schema_registry))
    with (
        closing(ControlLog(settings.kafka, codec)) as control,
        closing(Appender(settings.kafka)) as appender,
    ):
        asyncio.run(serve(make_app(settings, codec, control, appender, on_ready, data_dir)))


def make_app(
    settings: Settings,
    codec: Codec,
    control: ControlLog,
    appender: Appender,
    on_ready: Callable[[], None],
    data_dir: Path,
) -> Any:
    """Build the app; nothing of it connects before it is started.

    Raises:
        ConfigError: no Kafka is configured.
    """
    kafka = settings.kafka
    app = faust.App(
        f"{kafka.topic_prefix}processors",
        broker=brokers(kafka),
        broker_credentials=credentials(kafka),
        datadir=str(data_dir),
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        # A worker that was killed keeps its partitions until its session ends.
        broker_session_timeout=6,
        broker_heartbeat_interval=1.5,
        broker_max_poll_records=BATCHES_A_POLL,
    )
    publisher = Publisher(codec, kafka.topic_prefix, appender.append)
    measurements = MeasurementsAgent(
        make_fold=partial(_measurements_fold, settings),
        read_samples=partial(
            newest_samples, kafka, codec, most=settings.processors.sample_capacity
        ),
        control=control,
        codec=codec,
        publish=publisher.publish,
        clock=SystemClock(),
    )
    windows = WindowsAgent(
        make=partial(_folded_partition, control, codec),
        replay=partial(_replay, settings),
        publish=publisher.publish,
    )
    inference, decided = (topic.full_name(kafka.topic_prefix) for topic in (INFERENCE, WINDOWS))
    # Folds of windows begin with a replay of their own, wherever the group stands.
    use_batched_transport(app, {inference: measurements.resume_from, decided: None})
    _add_registry(app, settings, codec, appender)
    _add_rules(app, RULES.full_name(kafka.topic_prefix), codec, publisher)
    source = KafkaDeploymentLog(kafka)
    make = partial(DeploymentsPartition, codec=codec, control=control, source=source)
    deployments = DeploymentsAgent(make, source, publisher.publish, SystemClock())
    _add_deployments(app, DEPLOYMENTS.full_name(kafka.topic_prefix), deployments)
    _add_measurements(app, inference, measurements)
    _add_batched(app, decided, "windows", windows.handle)

    @app.task  # type: ignore[untyped-decorator]
    async def memory() -> None:
        free = FreeMemory()
        while not app.should_stop:
            await asyncio.to_thread(free.give_back)
            await app.sleep(_MEMORY_EVERY_S)

    @app.task  # type: ignore[untyped-decorator]
    async def ready() -> None:
        while not app.consumer.assignment():
            await asyncio.sleep(0.05)
        on_ready()

    return app


def _add_registry(app: Any, settings: Settings, codec: Codec, appender: Appender) -> None:
    name = REGISTRY.full_name(settings.kafka.topic_prefix)
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_serializer="raw")

    async def publish(key: bytes, value: bytes) -> object:
        record = Outgoing(name, key, None, value)
        return await asyncio.to_thread(appender.append, [record])

    agent = RegistryAgent(
        codec, lambda partition: read_partition(settings.kafka, name, partition), publish
    )

    @app.agent(topic, name="registry")  # type: ignore[untyped-decorator]
    async def registry(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            await or_die(
                agent.handle(message.partition, message.generation_id, message.key, message.value)
            )


def _add_measurements(app: Any, name: str, agent: MeasurementsAgent) -> None:
    _add_batched(app, name, "measurements", agent.handle)

    @app.task  # type: ignore[untyped-decorator]
    async def marks() -> None:
        while not app.should_stop:
            await app.sleep(min(agent.seconds_to_cut(), _MARK_RETRY_S))
            assigned = [tp.partition for tp in app.consumer.assignment() if tp.topic == name]
            try:
                await agent.mark_time(assigned)
            except Exception as error:
                # A producer that is being stopped takes no more.
                if not app.should_stop:
                    die("time could not be marked", error)


def _add_deployments(app: Any, name: str, agent: DeploymentsAgent) -> None:
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_serializer="raw")

    @app.agent(topic, name="deployments")  # type: ignore[untyped-decorator]
    async def deployments(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            appended_ms = round(message.timestamp * 1000)
            record = LogRecord(message.offset, appended_ms, message.value)
            await or_die(agent.handle(message.partition, record))

    @app.task  # type: ignore[untyped-decorator]
    async def ticks() -> None:
        while not app.should_stop:
            await agent.news()
            assigned = [tp.partition for tp in app.consumer.assignment() if tp.topic == name]
            try:
                await agent.tick(assigned)
            except Exception as error:
                # A producer that is being stopped takes no more.
                if not app.should_stop:
                    die("deployments could not go on", error)


def _add_batched(
    app: Any, topic: str, name: str, handle: Callable[[FetchBatch], Coroutine[Any, Any, None]]
) -> None:
    async def handle_and_ack(event: Any) -> None:
        await or_die(handle(event.value))
        event.ack()

    @app.agent(batched_topic(app, topic), name=name)  # type: ignore[untyped-decorator]
    async def batches(stream: Any) -> None:
        # Acknowledged by hand: the stream is ahead of what is done.
        events = stream.noack().events()
        await abreast(events, lambda event: event.value.partition, handle_and_ack)


def _add_rules(app: Any, name: str, codec: Codec, publisher: Publisher) -> None:
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_serializer="raw")

    async def answer(value: bytes) -> None:
        try:
            fact = await patiently(partial(codec.decode, value))
        except DecodeError:
            return
        if (rejection := rejection_of(fact)) is not None:
            await publisher.publish([rejection])

    @app.agent(topic, name="rules")  # type: ignore[untyped-decorator]
    async def rules(stream: Any) -> None:
        async for value in stream:
            if value is not None:
                await or_die(answer(value))


def _measurements_fold(settings: Settings, partition: int, from_beginning: bool) -> PartitionFold:
    return PartitionFold(
        partition,
        settings.kafka.partitions,
        settings.processors.truth_sampling_rate,
        settings.processors.sample_capacity,
        from_beginning=from_beginning,
    )


def _folded_partition(control: ControlLog, codec: Codec, partition: int) -> FoldedPartition:
    judges = (AlertFold(partition), DriftFold(partition))
    return FoldedPartition(partition, MergeFold(partition), judges, control, codec)


def _replay(settings: Settings, folded: FoldedPartition) -> tuple[Fact, ...]:
    def reader_of(topic: Topic) -> PartitionReader:
        name = topic.full_name(settings.kafka.topic_prefix)
        return PartitionReader(settings.kafka, name, folded.partition)

    return replay_from_log(folded, reader_of)
