"""Says where Faust finds Kafka, and as whom."""

import ssl

import faust
from faust.types.auth import CredentialsT

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import ConfigError


def brokers(kafka: KafkaSettings) -> list[str]:
    """The URL of every broker.

    Raises:
        ConfigError: none is configured.
    """
    if not kafka.bootstrap_servers:
        raise ConfigError(
            "no Kafka: start the embedded one with `modeltrail up --detach`, "
            "or set MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS"
        )
    return [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")]


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """The user and the TLS context; None where the brokers ask for neither."""
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
