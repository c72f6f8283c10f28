"""Forwarding spooled facts: refusals, failures, restarts and forks."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modeltrail.infra.config import ExperimentTrackingSettings, Settings, StackSettings
from modeltrail.producers.eventlog import memory
from modeltrail.producers.eventlog.framing import decode_datum
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds, MemorySender
from modeltrail.producers.eventlog.port import Delivered, DeliveryFailure, LogRecord
from modeltrail.producers.spooling.fact import Address, pack_prefix, unpack
from modeltrail.producers.spooling.folder import SET_ASIDE
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, RunHeartbeat
from modeltrail.schemas.ids import Micros, RunId, new_event_id
from modeltrail.schemas.topics import EXPERIMENTS, Topic, key_of

Facts = Callable[[Topic], list[Fact]]
KEY = key_of("run-1")


@pytest.fixture
def spool_settings(tmp_path: Path) -> Settings:
    return Settings(
        experiment_tracking=ExperimentTrackingSettings(
            spool_path=str(tmp_path / "spool"), spool_max_mb=4, flush_timeout_s=0.2
        ),
        stack=StackSettings(data_dir=str(tmp_path / "stack")),
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
    spool_settings: Settings,
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
    spool_settings: Settings,
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
    address = Address(topic, KEY, RunHeartbeat.record, version)
    assert unpack(kept.read_bytes()) == (address, b"later release")


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
    spool_settings: Settings, ids: MemorySchemaIds
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
    spool_settings: Settings, ids: MemorySchemaIds, tmp_path: Path
) -> None:
    # given a log that refuses the second of two runs' facts
    refusing = Failing({2: True})
    outbox = Outbox(spool_settings, refusing, lambda: ids)
    ids.away = True
    outbox.put(EXPERIMENTS, key_of("run-2"), heartbeat(1))
    outbox.put(EXPERIMENTS, KEY, heartbeat(2))

    # when they are sent
    ids.away = False
    assert outbox.flush(20)
    outbox.close()

    # then the other arrives, and what is kept says what it is and where it belongs
    assert len(refusing.records(EXPERIMENTS)) == 1
    [kept] = (tmp_path / "spool" / "set-aside").iterdir()
    spooled = unpack(kept.read_bytes())
    assert spooled is not None
    address, datum = spooled
    assert (address.topic, address.key) == (EXPERIMENTS.name, KEY)
    assert times([decode_datum(address.record, address.version, datum)]) == [2]


@pytest.mark.parametrize("at_once", [True, False], ids=["when-sent", "when-delivered"])
def test_a_refused_fact_that_cannot_be_kept_is_not_given_up(
    at_once: bool,
    spool_settings: Settings,
    ids: MemorySchemaIds,
    tmp_path: Path,
    wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a log that refuses a fact for ever, and no room to set it aside
    refusing = Failing(dict.fromkeys(range(1, 100), True) if at_once else {})
    monkeypatch.setattr(memory, "MAX_RECORD_BYTES", 0)
    set_aside = tmp_path / "spool" / SET_ASIDE
    set_aside.parent.mkdir()
    set_aside.write_text("in the way")
    outbox = Outbox(spool_settings, refusing, lambda: ids)
    outbox.put(EXPERIMENTS, KEY, heartbeat(1))

    # when it was refused, then it is sent again
    wait_until(lambda: refusing.sends > 1)
    assert times(outbox.unsent(EXPERIMENTS, KEY, [RunHeartbeat])) == [1]

    # and once there is room it is kept
    set_aside.unlink()
    assert outbox.flush(20)
    outbox.close()
    assert len(list(set_aside.iterdir())) == 1


class Followed(MemoryLog):
    """A log that has another fact put before it acknowledges one."""

    def __init__(self) -> None:
        super().__init__()
        self.put_another: Callable[[], None] = lambda: None

    def append(self, topic: Topic, key: bytes, value: bytes) -> LogRecord:
        record = super().append(topic, key, value)
        self.put_another()
        return record


@pytest.mark.parametrize("size", [100, 700_000], ids=["within-a-segment", "a-segment-each"])
def test_flushing_does_not_wait_for_what_is_put_meanwhile(
    size: int, spool_settings: Settings, ids: MemorySchemaIds
) -> None:
    # given an outbox that is never empty
    log = Followed()
    outbox = Outbox(spool_settings, log, lambda: ids)
    prefix = pack_prefix(EXPERIMENTS.name, KEY, RunHeartbeat.record, 1)
    log.put_another = lambda: outbox.put_packed(prefix, bytes(size))
    outbox.put(EXPERIMENTS, KEY, heartbeat(1))

    # when it is flushed
    flushed = outbox.flush(20)

    # then what was there before has arrived
    assert flushed
    assert log.records(EXPERIMENTS)
    log.put_another = lambda: None
    outbox.close()


def test_threads_share_an_outbox(
    spool_settings: Settings,
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
    spool_settings: Settings,
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
    spool_settings: Settings,
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
