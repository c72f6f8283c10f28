"""Which folders of a spool are taken over: those for the same cluster that can be opened."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import ENDPOINTS_FILE, KafkaSettings, Settings, StackSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds, MemorySender
from modeltrail.producers.spooling.destination import destination_of
from modeltrail.producers.spooling.fact import pack_prefix
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.producers.spooling.spool import Spool
from modeltrail.schemas.events import Fact, RunHeartbeat
from modeltrail.schemas.ids import Micros, RunId, new_event_id
from modeltrail.schemas.topics import EXPERIMENTS, Topic, key_of

MIB = 1024 * 1024
PREFIX = pack_prefix("experiments", b"run-1", "modeltrail.experiments.MetricsLogged", 1)
KEY = key_of("run-1")


def left_behind(root: Path, content: bytes, destination: str = "production") -> Path:
    """The folder of a process that died with one fact on disk."""
    before = set(root.glob("*/"))
    dead = Spool(root, MIB, destination)
    dead.append(PREFIX + content, timeout_s=0)
    [folder] = set(root.glob("*/")) - before
    dead.forget()
    return folder


def inherited(heir: Spool) -> list[bytes]:
    heir.rewind()
    return [datum for _, datum in heir.read(10)[0]]


def test_facts_for_another_cluster_stay_for_it_and_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = left_behind(tmp_path, b"staged", destination="staging")

    # when a spool for another cluster opens
    with caplog.at_level(logging.WARNING):
        other = Spool(tmp_path, MIB, "production")

    # then it leaves the facts there, and says where they are and what to do
    assert not other.inherited
    assert str(folder) in caplog.text
    assert "delete" in caplog.text
    other.close()

    # and the next one for theirs takes them over
    heir = Spool(tmp_path, MIB, "staging")
    assert inherited(heir) == [b"staged"]
    heir.close()


def test_facts_whose_cluster_nobody_noted_are_taken_over(tmp_path: Path) -> None:
    # as an earlier version left them, or somebody who followed the warning
    folder = left_behind(tmp_path, b"one", destination="staging")
    (folder / "destination").unlink()

    heir = Spool(tmp_path, MIB, "production")

    assert inherited(heir) == [b"one"]
    heir.close()


def test_a_folder_without_facts_is_tidied_away_whatever_cluster_it_was_for(tmp_path: Path) -> None:
    Spool(tmp_path, MIB, "staging").forget()

    Spool(tmp_path, MIB, "production").close()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_claimed_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # given two folders, one of which has a lock that may not be opened
    closed = left_behind(tmp_path, b"closed")
    lock = closed.with_suffix(".lock")
    lock.unlink()
    lock.mkdir()
    left_behind(tmp_path, b"open")

    # when the next spool opens
    with caplog.at_level(logging.WARNING):
        heir = Spool(tmp_path, MIB, "production")

    # then it has the other, and says which it has not
    assert inherited(heir) == [b"open"]
    assert str(closed) in caplog.text
    heir.close()


def test_a_folder_that_could_not_be_read_is_taken_over_once_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # given two folders, one of which has a segment that cannot be opened
    broken = left_behind(tmp_path, b"broken")
    in_the_way = broken / "0000000002.segment"
    in_the_way.mkdir()
    left_behind(tmp_path, b"whole")
    with caplog.at_level(logging.WARNING):
        heir = Spool(tmp_path, MIB, "production")
    assert inherited(heir) == [b"whole"]
    assert str(broken) in caplog.text

    # when the cause has passed
    in_the_way.rmdir()
    heir.adopt_abandoned()

    # then its facts are there as well
    assert inherited(heir) == [b"whole", b"broken"]
    heir.close()


class Unopened(MemoryLog):
    """A log whose first sender cannot be made."""

    def __init__(self) -> None:
        super().__init__()
        self._refusals = [Unavailable("not now")]

    def sender(self, *, queue_records: int, give_up_after_s: float | None) -> MemorySender:
        if self._refusals:
            raise self._refusals.pop()
        return super().sender(queue_records=queue_records, give_up_after_s=give_up_after_s)


def heartbeat(at: int) -> RunHeartbeat:
    return RunHeartbeat(new_event_id(), Micros(at), RunId("run-1"))


def test_an_outbox_that_could_not_open_holds_nothing_back(
    settings: Settings, ids: MemorySchemaIds
) -> None:
    # given a fact of a dead process, and an outbox that fails to open
    log = Unopened()
    root = Path(settings.experiment_tracking.spool_path)
    left_behind(root, b"left", destination_of(settings))
    outbox = Outbox(settings, log, lambda: ids)
    with pytest.raises(Unavailable):
        outbox.put(EXPERIMENTS, KEY, heartbeat(1))

    # when it opens at the next fact
    outbox.put(EXPERIMENTS, KEY, heartbeat(2))
    assert outbox.flush(20)
    outbox.close()

    # then both are sent
    assert len(log.records(EXPERIMENTS)) == 2
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "elsewhere",
    [KafkaSettings(bootstrap_servers="staging:9092"), KafkaSettings(topic_prefix="staging.")],
    ids=["cluster", "topics"],
)
def test_a_fact_for_one_cluster_is_never_sent_to_another(
    elsewhere: KafkaSettings,
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Callable[[Topic], list[Fact]],
) -> None:
    # given a fact that was spooled for another cluster or other topics, which are away
    tracking = replace(settings.experiment_tracking, flush_timeout_s=0.0)
    staging = replace(settings, kafka=elsewhere, experiment_tracking=tracking)
    away = MemoryLog()
    away.away = True
    first = Outbox(staging, away, lambda: ids)
    first.put(EXPERIMENTS, KEY, heartbeat(1))
    first.close()

    # when an outbox here sends
    second = Outbox(settings, log, lambda: ids)
    second.put(EXPERIMENTS, KEY, heartbeat(2))
    assert second.flush(20)
    second.close()

    # then it sends its own alone
    sent = facts_in(EXPERIMENTS)
    assert [fact.occurred_at for fact in sent if isinstance(fact, RunHeartbeat)] == [2]


def embedded(data: Path, address: str) -> Settings:
    """What is parsed while the embedded stack in `data` runs on `address`."""
    data.mkdir(exist_ok=True)
    endpoints = {"kafka": {"bootstrap_servers": address}}
    (data / ENDPOINTS_FILE).write_text(json.dumps(endpoints))
    return Settings(
        kafka=KafkaSettings(bootstrap_servers=address), stack=StackSettings(data_dir=str(data))
    )


def test_an_embedded_stack_is_the_same_cluster_on_other_ports(tmp_path: Path) -> None:
    before = destination_of(embedded(tmp_path / "one", "127.0.0.1:20001"))
    after = destination_of(embedded(tmp_path / "one", "127.0.0.1:20002"))
    other = destination_of(embedded(tmp_path / "two", "127.0.0.1:20001"))

    assert before == after
    assert before != other


def test_a_cluster_of_ones_own_is_told_by_its_brokers_in_any_order(tmp_path: Path) -> None:
    # given an embedded stack that runs, and settings that lead elsewhere
    plain = embedded(tmp_path, "127.0.0.1:20001")

    def leading_to(servers: str) -> str:
        return destination_of(replace(plain, kafka=KafkaSettings(bootstrap_servers=servers)))

    assert leading_to("a:1, b:2") == leading_to("b:2,a:1")
    assert len({leading_to("a:1"), leading_to("b:2"), destination_of(plain)}) == 3
