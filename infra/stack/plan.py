"""Decides which parts a stack has: no server where the settings name one of the user's own."""

from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.maven import read_lock
from modeltrail.infra.stack.part import Part
from modeltrail.infra.stack.parts import clickhouse, kafka, registry
from modeltrail.infra.stack.parts.java import java_part
from modeltrail.infra.stack.parts.workers import worker_parts
from modeltrail.infra.stack.ports import remembered_ports

PORTS = (*kafka.PORTS, *registry.PORTS, *clickhouse.PORTS)


def plan(
    settings: Settings, layout: Layout, token: str, config: Path | None, workers: bool
) -> list[Part]:
    """The parts in start order; writes the files that they read.

    Args:
        settings: without the overlay of a running stack.
        layout: where the stack lies.
        token: names this run among all.
        config: the file that `settings` came from, for the workers to read as well.
        workers: whether to migrate and start the workers too.
    """
    servers = _servers(settings, layout, token)
    if not workers:
        return servers
    names = tuple(part.name for part in servers if not part.is_step)
    return [*servers, *worker_parts(layout, config, names, settings.alerting)]


def _servers(settings: Settings, layout: Layout, token: str) -> list[Part]:
    ports = remembered_ports(layout.ports, PORTS)
    archives = read_lock()
    recorder = token if settings.stack.startup_cache else None
    parts: list[Part] = []
    if not settings.kafka.bootstrap_servers:
        heap_mb = settings.stack.kafka_heap_mb
        parts += kafka.kafka_parts(layout, ports, archives["kafka"], heap_mb, recorder)
    if not settings.schema_registry.url:
        (archive,) = archives["registry"]
        parts.append(registry.registry_part(layout, ports, archive, recorder))
    if parts:
        parts.insert(0, java_part())
    if not settings.clickhouse.host:
        parts.append(clickhouse.clickhouse_part(layout, ports, settings.clickhouse))
    return parts
