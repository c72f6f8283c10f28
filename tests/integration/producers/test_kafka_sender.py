"""A sender goes on after its producer broke off, and each record it took has one answer."""

import logging
from contextlib import closing

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.eventlog import kafka_sender
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import DeliveryFailure, Sender
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import EXPERIMENTS
from tests.integration.broken_off import Producers
from tests.waiting import eventually

KEY = b"a run"


def send(sender: Sender, value: bytes, answers: list[DeliveryFailure | None]) -> None:
    def took_it() -> bool:
        sender.poll(0.05)
        return sender.send(EXPERIMENTS, KEY, value, answers.append)

    eventually(took_it)


def test_a_producer_that_broke_off_is_replaced(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = Producers(kafka_sender, monkeypatch)
    log = KafkaLog(fresh_settings.kafka)
    answers: list[DeliveryFailure | None] = []
    sender = log.sender(queue_records=1000, give_up_after_s=None)
    send(sender, b"before", answers)
    assert sender.flush(30) == 0
    made.break_off()

    with caplog.at_level(logging.WARNING):
        send(sender, b"after", answers)
    assert sender.flush(30) == 0

    assert answers == [None, None]
    assert "out of order" in caplog.text
    assert len(made.made) == 2
    mine = partition_of(KEY, log.partitions(EXPERIMENTS))
    with closing(log.cursor(EXPERIMENTS, {mine: 0})) as cursor:
        found: list[bytes | None] = []
        while len(found) < 2:
            found += [record.value for record in cursor.poll(10)]
    assert found == [b"before", b"after"]


def test_what_a_producer_had_when_it_broke_off_is_answered_as_failed(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(kafka_sender, monkeypatch)
    log = KafkaLog(fresh_settings.kafka)
    sender = log.sender(queue_records=1000, give_up_after_s=None)
    queued: list[DeliveryFailure | None] = []
    for number in range(100):
        assert sender.send(EXPERIMENTS, KEY, b"%d" % number, queued.append)
    made.break_off()

    later: list[DeliveryFailure | None] = []
    send(sender, b"after", later)

    assert len(queued) == 100
    failures = [failure for failure in queued if failure is not None]
    assert not any(failure.permanent for failure in failures)
    assert sender.flush(30) == 0
    assert later == [None]


def test_a_wait_for_answers_outlasts_the_fatal_error(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(kafka_sender, monkeypatch)
    sender = KafkaLog(fresh_settings.kafka).sender(queue_records=1000, give_up_after_s=None)
    queued: list[DeliveryFailure | None] = []
    for number in range(100):
        assert sender.send(EXPERIMENTS, KEY, b"%d" % number, queued.append)
    made.break_off()

    assert sender.flush(30) == 0

    assert len(queued) == 100
