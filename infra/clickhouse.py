"""Makes ClickHouse clients for the native protocol: one that writes, one that only reads."""

from typing import Any

from clickhouse_driver import Client

from modeltrail.infra.config import ClickHouseSettings
from modeltrail.infra.errors import ConfigError


def make_client(settings: ClickHouseSettings, **overrides: Any) -> Client:
    """A client of the writing account, with lz4 off (loopback) unless overridden.

    Raises:
        ConfigError: no ClickHouse is configured and no embedded stack is running.
    """
    return _connect(settings, settings.user, settings.password.reveal(), overrides)


def make_reader(settings: ClickHouseSettings, **overrides: Any) -> Client:
    """A client of the read-only account.

    Raises:
        ConfigError: no ClickHouse is configured and no embedded stack is running.
    """
    return _connect(settings, settings.reader_user, settings.reader_password.reveal(), overrides)


def _connect(
    settings: ClickHouseSettings, user: str, password: str, overrides: dict[str, Any]
) -> Client:
    if not settings.host:
        raise ConfigError(
            "no ClickHouse: start the embedded one with `modeltrail up --detach`, "
            "or set MODELTRAIL_CLICKHOUSE_HOST"
        )
    arguments = {
        "port": settings.port,
        "user": user,
        "password": password,
        "database": settings.database,
        "secure": settings.secure,
        "connect_timeout": 10,
        **overrides,
    }
    return Client(settings.host, **arguments)
