"""Runs the delivery of alerts: one thread a destination, until told to stop."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.sinks.delivery.destination import Destination, open_destinations
from modeltrail.sinks.delivery.letterbox import Letterbox
from modeltrail.sinks.delivery.member import Member


def run_delivery(settings: Settings, stop: threading.Event, on_ready: Callable[[], None]) -> None:
    """Deliver alerts to every destination until `stop` is set; a fault of one ends all.

    Args:
        settings: where Kafka and the destinations are.
        stop: ends the run.
        on_ready: called once, when every destination has its first partitions.

    Raises:
        ConfigError: a server or a destination is not configured, or is wrongly.
    """
    clock = SystemClock()
    destinations = open_destinations(settings.alerting, clock)
    countdown = _Countdown(len(destinations), on_ready)

    def member(destination: Destination) -> Member:
        codec = Codec(ConfluentSchemaIds(settings.schema_registry))
        letterbox = Letterbox(settings.kafka, codec, destination.name)
        return Member(
            settings, destination, codec, letterbox.put, clock, stop, countdown.of_another()
        )

    members = [member(destination) for destination in destinations]
    with ThreadPoolExecutor(len(members), thread_name_prefix="delivery") as pool:
        running = [pool.submit(each.run) for each in members]
        wait(running, return_when=FIRST_COMPLETED)
        stop.set()
    for each in running:
        each.result()


class _Countdown:
    """Calls `on_zero` once, when each of `count` parties has called at least once."""

    def __init__(self, count: int, on_zero: Callable[[], None]) -> None:
        self._missing = count
        self._on_zero = on_zero
        self._lock = threading.Lock()

    def of_another(self) -> Callable[[], None]:
        """What one party calls."""
        called = threading.Event()

        def call() -> None:
            with self._lock:
                if called.is_set():
                    return
                called.set()
                self._missing -= 1
                if self._missing == 0:
                    self._on_zero()

        return call
