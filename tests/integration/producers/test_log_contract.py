"""One contract, two logs: the log in memory behaves as Kafka does."""

import time
from collections.abc import Callable
from contextlib import closing

import pytest

from modeltrail.infra.config import KafkaSettings, Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.memory import MemoryLog
from modeltrail.producers.eventlog.port import DeliveryFailure, Log, LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import EXPERIMENTS, NODES, REGISTRY, Topic

KEYS = [f"key-{number}".encode() for number in range(20)]
Answers = list[DeliveryFailure | None]


@pytest.fixture(params=["memory", "kafka"])
def log(request: pytest.FixtureRequest) -> Log:
    if request.param == "memory":
        return MemoryLog()
    settings: Settings = request.getfixturevalue("fresh_settings")
    return KafkaLog(settings.kafka)


def append(log: Log, topic: Topic, records: list[tuple[bytes, bytes]]) -> Answers:
    answers: Answers = []
    sender = log.sender(queue_records=1000, give_up_after_s=None)
    for key, value in records:
        assert sender.send(topic, key, value, answers.append)
    assert sender.flush(30) == 0
    return answers


def read_all(log: Log, topic: Topic) -> list[LogRecord]:
    count = log.partitions(topic)
    ends = log.end_offsets(topic, tuple(range(count)))
    return list(read_to_end(log, topic, dict.fromkeys(range(count), 0), ends))


def test_what_is_appended_is_read_in_order_within_a_key(log: Log) -> None:
    sent = [(key, f"{key.decode()}:{round_}".encode()) for round_ in range(5) for key in KEYS]

    answers = append(log, EXPERIMENTS, sent)

    assert answers == [None] * len(sent)
    records = read_all(log, EXPERIMENTS)
    for key in KEYS:
        values = [record.value for record in records if record.key == key]
        assert values == [value for sent_key, value in sent if sent_key == key]


def test_a_key_has_the_partition_that_the_partitioner_says(log: Log) -> None:
    append(log, EXPERIMENTS, [(key, b"x") for key in KEYS])

    count = log.partitions(EXPERIMENTS)
    for record in read_all(log, EXPERIMENTS):
        assert record.partition == partition_of(record.key or b"", count)


def test_offsets_count_from_zero_and_time_is_the_logs(log: Log) -> None:
    before = time.time_ns() // 1000
    append(log, NODES, [(b"one", b"1"), (b"one", b"2")])
    after = time.time_ns() // 1000

    records = read_all(log, NODES)
    assert [record.offset for record in records] == [0, 1]
    for record in records:
        assert before - 1000 <= record.appended_at <= after


def test_a_cursor_starts_where_it_is_told_and_sees_what_comes_later(
    log: Log, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    append(log, REGISTRY, [(b"one", b"1"), (b"one", b"2")])
    partition = partition_of(b"one", log.partitions(REGISTRY))

    with closing(log.cursor(REGISTRY, {partition: 1})) as cursor:
        seen: list[LogRecord] = []

        def seen_records() -> int:
            seen.extend(cursor.poll(0.1))
            return len(seen)

        wait_until(lambda: seen_records() == 1)
        append(log, REGISTRY, [(b"one", b"3")])
        wait_until(lambda: seen_records() == 2)

    assert [record.value for record in seen] == [b"2", b"3"]


def test_reading_an_empty_topic_ends_at_once(log: Log) -> None:
    assert read_all(log, REGISTRY) == []


def test_a_full_queue_says_so_and_takes_more_once_it_is_polled(log: Log) -> None:
    answers: Answers = []
    sender = log.sender(queue_records=10, give_up_after_s=None)
    accepted = 0
    while sender.send(EXPERIMENTS, b"key", b"x", answers.append):
        accepted += 1
        assert accepted <= 10

    sender.flush(30)

    assert accepted == 10
    assert answers == [None] * accepted
    assert sender.send(EXPERIMENTS, b"key", b"x", answers.append)
    sender.flush(30)


def test_a_record_that_is_too_large_fails_for_ever_and_harms_no_other(log: Log) -> None:
    sender = log.sender(queue_records=10, give_up_after_s=None)
    large: Answers = []
    small: Answers = []
    huge = bytes(5_000_000)

    sender.send(EXPERIMENTS, b"key", huge, large.append)
    sender.send(EXPERIMENTS, b"key", b"small", small.append)
    sender.flush(30)

    [failure] = large
    assert failure is not None
    assert failure.permanent
    assert (failure.key, failure.value) == (b"key", huge)
    assert small == [None]
    assert [record.value for record in read_all(log, EXPERIMENTS)] == [b"small"]


@pytest.mark.parametrize("away", ["memory", "kafka"])
def test_a_log_that_is_away_is_unavailable(away: str) -> None:
    log: Log
    if away == "memory":
        log = MemoryLog()
        log.away = True
    else:
        nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
        log = KafkaLog(nowhere, answer_timeout_s=0.3)

    with pytest.raises(Unavailable):
        log.partitions(REGISTRY)
    with pytest.raises(Unavailable):
        log.end_offsets(REGISTRY, (0,))
