"""Waits for a server that is away, instead of giving a record up."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import SchemaRegistryUnavailable

log = logging.getLogger(__name__)

RETRY_S = 1.0
T = TypeVar("T")


class Stopped(Exception):
    """It was told to stop while a server was away."""


async def patiently(call: Callable[[], T]) -> T:
    """Give the result of `call`, made in a thread, and again while a server does not answer."""
    while True:
        try:
            return await asyncio.to_thread(call)
        except (SchemaRegistryUnavailable, Unavailable) as error:
            log.warning("waiting: %s", error)
            await asyncio.sleep(RETRY_S)


def persistently(call: Callable[[], T]) -> T:
    """The same for a thread that may block."""
    while True:
        try:
            return call()
        except (SchemaRegistryUnavailable, Unavailable) as error:
            log.warning("waiting: %s", error)
            time.sleep(RETRY_S)


def until_stopped(stop: threading.Event, call: Callable[[], T]) -> T:
    """The same for a thread that is told when to stop.

    Raises:
        Stopped: `stop` was set while a server did not answer.
    """
    while True:
        try:
            return call()
        except (KafkaException, SchemaRegistryUnavailable, Unavailable) as error:
            log.warning("waiting: %s", error)
        if stop.wait(RETRY_S):
            raise Stopped
