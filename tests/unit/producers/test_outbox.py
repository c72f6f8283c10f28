"""Forwarding spooled facts: refusals, failures, restarts and forks."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modeltrail.infra.config import ExperimentTrackingSettings
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds, MemorySender
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure
from modeltrail.producers.spooling.fact import pack_prefix
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, RunHeartbeat
from modeltrail.schemas.ids import Micros, RunId, new_event_id
from modeltrail.schemas.topics import EXPERIMENTS, Topic, key_of

Facts = Callable[[Topic], list[Fact]]
KEY = key_of("run-1")


@pytest.fixture
def spool_settings(tmp_path: Path) -> ExperimentTrackingSettings:
    return ExperimentTrackingSettings(
        spool_path=str(tmp_path / "spool"), spool_max_mb=4, flush_timeout_s=0.2
    )


class BusySchemaIds(MemorySchemaIds):
    """A registry that takes its time to answer."""

    def __init__(self, asked: threading.Event, answer: threading.Event) -> None:
        super().__init__()
        self._asked = asked
        self._answer = answer

    def id_of(self, subject: str, schema: str) -> int:
        self._asked.set()
        self._answer.wait()
        return super().id_of(subject, schema)


def heartbeat(at: int) -> RunHeartbeat:
    return RunHeartbeat(new_event_id(), Micros(at), RunId("run-1"))


def times(facts: list[Fact]) -> list[int]:
    return [fact.occurred_at for fact in facts if isinstance(fact, RunHeartbeat)]


def test_facts_left_on_disk_are_sent_by_the_next_outbox(
    spool_settings: ExperimentTrackingSettings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
) -> None:
    log.away = True
    first = Outbox(spool_settings, log, lambda: ids)
    first.put(EXPERIMENTS, KEY, heartbeat(1))
    first.close()
    log.away = False

    second = Outbox(spool_settings, log, lambda: ids)
    second.put(EXPERIMENTS, KEY, heartbeat(2))
    assert second.flush(10)
    second.close()

    assert times(facts_in(EXPERIMENTS)) == [1, 2]


@pytest.mark.parametrize(("topic", "version"), [("experiments", 99), ("of-later", 1)])
def test_a_fact_of_an_unknown_release_is_set_aside_and_blocks_no_other(
    topic: str,
    version: int,
    spool_settings: ExperimentTrackingSettings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    tmp_path: Path,
) -> None:
    outbox = Outbox(spool_settings, log, lambda: ids)
    outbox.put_packed(pack_prefix(topic, KEY, RunHeartbeat.record, version), b"later release")
    outbox.put(EXPERIMENTS, KEY, heartbeat(2))

    assert outbox.flush(10)
    outbox.close()

    assert times(facts_in(EXPERIMENTS)) == [2]
    [kept] = (tmp_path / "spool" / "set-aside").iterdir()
    assert kept.read_bytes() == b"later release"


class Failing(MemoryLog):
    """A log whose sender fails chosen sends."""

    def __init__(self, failures: dict[int, bool]) -> None:
        super().__init__()
        self._failures = failures
        self.sends = 0

    def sender(self, *, queue_records: int, give_up_after_s: float | None) -> MemorySender:
        log = self

        class Sender(MemorySender):
            def send(self, topic: Topic, key: bytes, value: bytes, delivered: Delivered) -> bool:
                log.sends += 1
                if (permanent := log._failures.get(log.sends)) is not None:
                    delivered(DeliveryFailure("refused", permanent, key, value))
                    return True
                return super().send(topic, key, value, delivered)

        return Sender(self, queue_records, give_up_after_s, self._clock)


def test_a_failed_send_is_repeated_with_everything_behind_it(
    spool_settings: ExperimentTrackingSettings, ids: MemorySchemaIds
) -> None:
    failing = Failing({2: False})
    ids.away = True
    outbox = Outbox(spool_settings, failing, lambda: ids)
    for at in range(1, 4):
        outbox.put(EXPERIMENTS, KEY, heartbeat(at))
    ids.away = False
    assert outbox.flush(20)
    outbox.close()

    # A fact may come twice, but its last coming is behind the last of those before it.
    codec = Codec(ids)
    arrived = times([codec.decode(record.value or b"") for record in failing.records(EXPERIMENTS)])
    assert sorted(set(arrived), key=lambda at: arrived[::-1].index(at)) == [3, 2, 1]
    assert failing.sends > 3


def test_what_kafka_refuses_for_ever_is_set_aside(
    spool_settings: ExperimentTrackingSettings, ids: MemorySchemaIds, tmp_path: Path
) -> None:
    refusing = Failing({1: True})
    outbox = Outbox(spool_settings, refusing, lambda: ids)
    outbox.put(EXPERIMENTS, KEY, heartbeat(1))
    outbox.put(EXPERIMENTS, KEY, heartbeat(2))

    assert outbox.flush(20)
    outbox.close()

    assert len(refusing.records(EXPERIMENTS)) == 1
    assert len(list((tmp_path / "spool" / "set-aside").iterdir())) == 1


def test_threads_share_an_outbox(
    spool_settings: ExperimentTrackingSettings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
) -> None:
    outbox = Outbox(spool_settings, log, lambda: ids)

    def put(base: int) -> None:
        for at in range(500):
            outbox.put(EXPERIMENTS, KEY, heartbeat(base + at))

    threads = [threading.Thread(target=put, args=(base,)) for base in (0, 1000, 2000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.flush(20)
    outbox.close()

    arrived = times(facts_in(EXPERIMENTS))
    assert len(arrived) == 2000
    for base in (0, 1000, 2000, 3000):
        own = [at for at in arrived if base <= at < base + 500]
        assert own == list(range(base, base + 500))


def test_a_forked_child_spools_into_a_folder_of_its_own(
    spool_settings: ExperimentTrackingSettings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
) -> None:
    # Given a parent whose fact waits
    log.away = True
    outbox = Outbox(spool_settings, log, lambda: ids)
    outbox.put(EXPERIMENTS, KEY, heartbeat(1))

    # When a child adds one and dies at once
    child = os.fork()
    if child == 0:
        outbox.put(EXPERIMENTS, KEY, heartbeat(2))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

    # Then the parent sends its own, and an heir of the child the child's
    log.away = False
    assert outbox.flush(20)
    assert times(facts_in(EXPERIMENTS)) == [1]
    heir = Outbox(spool_settings, log, lambda: ids)
    heir.put(EXPERIMENTS, KEY, heartbeat(3))
    assert heir.flush(20)
    assert times(facts_in(EXPERIMENTS)) == [1, 2, 3]
    heir.close()
    outbox.close()


def test_a_forwarder_that_was_busy_when_its_outbox_closed_leaves_its_facts_to_the_next(
    spool_settings: ExperimentTrackingSettings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    wait_until: Callable[..., None],
) -> None:
    asked, answer = threading.Event(), threading.Event()
    first = Outbox(spool_settings, log, lambda: BusySchemaIds(asked, answer))
    first.put(EXPERIMENTS, KEY, heartbeat(1))
    assert asked.wait(30)
    log.away = True
    first.close()
    answer.set()

    second = Outbox(spool_settings, log, lambda: ids)

    def taken_over() -> bool:
        second.adopt_abandoned()
        return bool(second.unsent(EXPERIMENTS, KEY, [RunHeartbeat]))

    wait_until(taken_over)
    log.away = False
    assert second.flush(30)
    second.close()
    assert times(facts_in(EXPERIMENTS)) == [1]
