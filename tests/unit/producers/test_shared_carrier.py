"""Many short sessions share one queue and thread, and each keeps its own account."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.monitoring.carrier import Carrier
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.events import Fact, InferenceMeasured, MeasurementsDropped
from modeltrail.schemas.ids import Version
from modeltrail.schemas.topics import INFERENCE, NODES, Topic
from tests.waiting import eventually

MakeMonitor = Callable[..., InferenceMonitor]
FactsIn = Callable[[Topic], list[Fact]]
CAPACITY = 8


@pytest.fixture
def settings(settings: Settings) -> Settings:
    monitoring = replace(settings.monitoring, queue_capacity=CAPACITY, report_interval_s=0.05)
    return replace(settings, monitoring=monitoring)


@pytest.fixture
def carrier(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> Iterator[Carrier]:
    carrier = Carrier(settings, log, ids, SystemClock())
    yield carrier
    carrier.close()


@pytest.fixture
def monitor_of(settings: Settings, model: RegisteredModel, carrier: Carrier) -> MakeMonitor:
    def make(session: str, **changes: Any) -> InferenceMonitor:
        about = {"model": model, "node_id": "gate-1", "session_id": session, **changes}
        return InferenceMonitor(settings, carrier=carrier, **about)

    return make


def has_sent_one(monitor: InferenceMonitor) -> bool:
    return monitor.stats().sent == 1


def couriers() -> int:
    return sum(thread.name == "modeltrail-courier" for thread in threading.enumerate())


def test_sessions_share_a_thread_and_are_told_apart(
    monitor_of: MakeMonitor, carrier: Carrier, facts_in: FactsIn, model: RegisteredModel
) -> None:
    before = couriers()
    other = replace(model, version=Version("v2.0.0"))
    for number in range(20):
        with monitor_of(f"clip {number}", model=other if number % 2 else model) as monitor:
            monitor.track(number)
            assert couriers() == before + 1
        eventually(partial(has_sent_one, monitor))
    measured = [fact for fact in facts_in(INFERENCE) if isinstance(fact, InferenceMeasured)]
    assert {(fact.session_id, fact.frame, fact.version) for fact in measured} == {
        (f"clip {number}", number, "v2.0.0" if number % 2 else "v1.0.0") for number in range(20)
    }
    assert carrier.counts().sent == 20


def test_a_loss_is_counted_and_reported_for_the_session_that_had_it(
    monitor_of: MakeMonitor, log: MemoryLog, carrier: Carrier, facts_in: FactsIn
) -> None:
    first, second = monitor_of("first"), monitor_of("second")
    first.track(0)
    eventually(lambda: first.stats().sent == 1)
    log.away = True
    # when the first session's measurements leave the full queue because of the second's
    for number in range(1, 200):
        first.track(number)
    for number in range(200):
        second.track(number)
    log.away = False

    def is_told() -> bool:
        reports = [fact for fact in facts_in(NODES) if isinstance(fact, MeasurementsDropped)]
        told = {
            name: sum(fact.dropped for fact in reports if fact.session_id == name)
            for name in ("first", "second")
        }
        lost = {"first": first.stats().dropped, "second": second.stats().dropped}
        return told == lost and not first.stats().queued and not second.stats().queued

    eventually(is_told)
    # then nothing is lost without being counted where it belongs
    for monitor, tracked in ((first, 200), (second, 200)):
        stats = monitor.stats()
        assert stats.sent + stats.dropped == tracked
        assert stats.dropped > 0


def test_a_session_that_ended_leaves_nothing_behind_and_its_sum_stays(
    monitor_of: MakeMonitor, carrier: Carrier
) -> None:
    for number in range(50):
        with monitor_of(f"clip {number}") as monitor:
            monitor.track(0)
        eventually(partial(has_sent_one, monitor))
    eventually(lambda: not carrier.courier()._lanes)
    assert carrier.counts().sent == 50


def test_what_is_queued_when_a_session_ends_is_still_sent(
    monitor_of: MakeMonitor, carrier: Carrier, facts_in: FactsIn
) -> None:
    monitor = monitor_of("morning")
    for number in range(CAPACITY):
        monitor.track(number)
    monitor.close()
    monitor.track(CAPACITY)
    carrier.close()
    assert len(facts_in(INFERENCE)) == CAPACITY
    assert monitor.stats().dropped == 1
    assert carrier.counts().sent == CAPACITY
