"""Waits out servers that are away: repeats an action until it succeeds or the sink is to stop."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from clickhouse_driver import errors as clickhouse
from confluent_kafka import KafkaException

from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import SchemaRegistryUnavailable

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
# Names and meanings: system.errors of ClickHouse. What is not here will not pass by itself.
_PASSING = frozenset(
    {
        clickhouse.ErrorCodes.TIMEOUT_EXCEEDED,
        clickhouse.ErrorCodes.TOO_SLOW,
        clickhouse.ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES,
        clickhouse.ErrorCodes.SOCKET_TIMEOUT,
        clickhouse.ErrorCodes.NETWORK_ERROR,
        clickhouse.ErrorCodes.NO_ZOOKEEPER,
        clickhouse.ErrorCodes.ABORTED,
        clickhouse.ErrorCodes.MEMORY_LIMIT_EXCEEDED,
        clickhouse.ErrorCodes.TABLE_IS_READ_ONLY,
        clickhouse.ErrorCodes.NOT_ENOUGH_SPACE,
        clickhouse.ErrorCodes.TOO_MANY_PARTS,
        clickhouse.ErrorCodes.UNKNOWN_STATUS_OF_INSERT,
        clickhouse.ErrorCodes.QUERY_WAS_CANCELLED,
    }
)
_AWAY = (
    clickhouse.NetworkError,
    clickhouse.SocketTimeoutError,
    clickhouse.UnexpectedPacketFromServerError,
    EOFError,
    KafkaException,
    OSError,
    SchemaRegistryUnavailable,
    Unavailable,
)

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Stopped(Exception):
    """The sink was told to stop while it waited for a server."""


def persist(action: Callable[[], T], stop: threading.Event, what: str) -> T:
    """Do `action` until it succeeds, pausing 0.2 to 5 s in between.

    Args:
        action: repeatable: it may have had its effect although it failed.
        stop: gives up the waiting.
        what: names the action in the log.

    Raises:
        Stopped: `stop` was set while waiting.
        Exception: whatever `action` raises that will not pass by itself.
    """
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return action()
        except Exception as error:
            if not will_pass(error):
                raise
            say_waiting(what, error)
        if stop.wait(pause):
            raise Stopped(what)
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def say_waiting(what: str, error: Exception) -> None:
    """Log that `what` is tried again."""
    _log.warning("%s failed, trying again: %s: %s", what, type(error).__name__, str(error)[:300])


def will_pass(error: Exception) -> bool:
    """Whether the same action may succeed later."""
    if isinstance(error, clickhouse.ServerException) and not isinstance(
        error, clickhouse.NetworkError
    ):
        return error.code in _PASSING
    return isinstance(error, _AWAY)
