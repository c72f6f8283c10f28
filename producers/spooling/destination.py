"""Answers which cluster spooled facts are for: what was said to one is never sent to another."""

from pathlib import Path

from modeltrail.infra.config import Settings, endpoints_in


def destination_of(settings: Settings) -> str:
    """The cluster and its topics, the same for every process with these settings."""
    return f"{_cluster(settings)}, topics {settings.kafka.topic_prefix}*"


def _cluster(settings: Settings) -> str:
    servers = settings.kafka.bootstrap_servers
    data = Path(settings.stack.data_dir)
    # The embedded stack takes another port where its last one is occupied: its data stay.
    if servers and servers == endpoints_in(data).get("kafka", {}).get("bootstrap_servers"):
        return f"the embedded stack in {data.resolve()}"
    return ",".join(sorted(server.strip() for server in servers.split(","))) or "no Kafka"
