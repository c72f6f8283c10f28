"""Opens the read-only account of ClickHouse for one command; its errors become ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client, errors

from modeltrail.infra.clickhouse import make_reader
from modeltrail.infra.config import ClickHouseSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import ModeltrailError


class QueryFailed(ModeltrailError):
    """ClickHouse refused the query: its code and message."""


@contextmanager
def reading(settings: ClickHouseSettings) -> Iterator[Client]:
    """A client for the time of the block.

    Raises:
        ConfigError: no ClickHouse is configured and no embedded stack is running.
        QueryFailed: ClickHouse refused a query of the block.
        Unavailable: it does not answer.
    """
    # The driver also logs what it raises.
    logging.getLogger("clickhouse_driver").addHandler(logging.NullHandler())
    client = make_reader(settings)
    try:
        yield client
    except errors.ServerException as error:
        raise QueryFailed(
            f"ClickHouse refused the query with code {error.code}: {_said(error)}"
        ) from error
    except (errors.NetworkError, errors.SocketTimeoutError, EOFError) as error:
        raise Unavailable(
            f"no answer from ClickHouse at {settings.host}:{settings.port} ({_said(error)}): "
            "`modeltrail status` shows the embedded stack, `modeltrail up --detach` starts it; "
            "for a server of your own check MODELTRAIL_CLICKHOUSE_HOST and _PORT"
        ) from error
    finally:
        client.disconnect()


def _said(error: Exception) -> str:
    message = str(getattr(error, "message", "") or error)
    # A server appends every word of its grammar, and its C++ stack trace.
    return message.split("Stack trace:")[0].split(". Expected one of:")[0].strip()
