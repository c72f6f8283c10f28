"""Composes the stream processors into one Faust app: the only module that knows Faust."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
from faust.types.auth import CredentialsT

from modeltrail.infra.config import KafkaSettings, Settings
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.registry.agent import RegistryAgent
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.topics import REGISTRY

log = logging.getLogger(__name__)
EXIT_ON_FAULT = 70


def make_app(settings: Settings, on_ready: Callable[[], None], data_dir: Path) -> Any:
    """Build the app; nothing connects before it is started.

    Raises:
        ConfigError: no Kafka or schema registry is configured.
    """
    kafka = settings.kafka
    app = faust.App(
        f"{kafka.topic_prefix}processors",
        broker=_brokers(kafka),
        broker_credentials=_credentials(kafka),
        datadir=str(data_dir),
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        producer_acks=-1,
        consumer_auto_offset_reset="earliest",
        # A worker that was killed keeps its partitions until its session ends.
        broker_session_timeout=6,
        broker_heartbeat_interval=1.5,
    )
    _add_registry(app, settings)

    @app.task  # type: ignore[untyped-decorator]
    async def ready() -> None:
        while not app.consumer.assignment():
            await asyncio.sleep(0.05)
        on_ready()

    return app


def run_processors(settings: Settings, on_ready: Callable[[], None], data_dir: Path) -> None:
    """Run the app until SIGTERM or SIGINT; offsets are committed on the way out."""
    asyncio.run(_serve(make_app(settings, on_ready, data_dir)))


async def _serve(app: Any) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await app.start()
    await stop.wait()
    await app.stop()


def _add_registry(app: Any, settings: Settings) -> None:
    name = REGISTRY.full_name(settings.kafka.topic_prefix)
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_serializer="raw")

    async def publish(key: bytes, value: bytes) -> object:
        return await (await topic.send(key=key, value=value))

    agent = RegistryAgent(
        Codec(ConfluentSchemaIds(settings.schema_registry)),
        lambda partition: read_partition(settings.kafka, name, partition),
        publish,
    )

    @app.agent(topic, name="registry")  # type: ignore[untyped-decorator]
    async def registry(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            await _or_stop(
                agent.handle(message.partition, message.generation_id, message.key, message.value)
            )


async def _or_stop(work: Any) -> None:
    """Await `work`; on a fault end the process before Faust acks what was not done."""
    try:
        await work
    except Exception:
        log.critical("the processors stop: a record could not be processed", exc_info=True)
        logging.shutdown()
        os._exit(EXIT_ON_FAULT)


def _brokers(kafka: KafkaSettings) -> list[str]:
    if not kafka.bootstrap_servers:
        raise ConfigError(
            "no Kafka: start the embedded one with `modeltrail up --detach`, "
            "or set MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS"
        )
    return [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")]


def _credentials(kafka: KafkaSettings) -> CredentialsT | None:
    tls = None
    if kafka.security_protocol in ("SSL", "SASL_SSL"):
        tls = ssl.create_default_context(cafile=kafka.ssl_ca_location or None)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal(),
            ssl_context=tls,
            mechanism=kafka.sasl_mechanism or None,
        )
    return faust.SSLCredentials(context=tls) if tls else None
