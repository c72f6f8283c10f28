"""What is appended is in the log, in order, once it is said to be; what is not is said too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import LogRecord, PartitionReader
from modeltrail.processors import appending
from modeltrail.processors.appending import Appender, NotAppended, Outgoing
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import WINDOWS
from tests.integration.broken_off import Producers


@pytest.fixture
def appender(fresh_settings: Settings) -> Iterator[Appender]:
    with closing(Appender(fresh_settings.kafka)) as appender:
        yield appender


def topic_of(settings: Settings) -> str:
    return WINDOWS.full_name(settings.kafka.topic_prefix)


def records_in(settings: Settings, partition: int) -> list[LogRecord]:
    with closing(PartitionReader(settings.kafka, topic_of(settings), partition)) as reader:
        return list(reader.read(*reader.bounds()))


def test_records_are_in_their_partitions_and_in_order(
    fresh_settings: Settings, appender: Appender
) -> None:
    topic, key = topic_of(fresh_settings), b"centerface"
    mine = partition_of(key, fresh_settings.kafka.partitions)
    other = (mine + 1) % fresh_settings.kafka.partitions
    values = [str(number).encode() for number in range(500)]

    newest_ms = appender.append(
        [
            Outgoing(topic, None if number % 2 else key, other if number % 2 else None, value)
            for number, value in enumerate(values)
        ]
    )

    by_key, by_partition = records_in(fresh_settings, mine), records_in(fresh_settings, other)
    assert [record.value for record in by_key] == values[::2]
    assert [record.value for record in by_partition] == values[1::2]
    assert newest_ms == max(record.appended_ms for record in by_key + by_partition)


def test_threads_append_beside_each_other(fresh_settings: Settings, appender: Appender) -> None:
    topic = topic_of(fresh_settings)

    def append(partition: int) -> int:
        records = [Outgoing(topic, None, partition, bytes([number])) for number in range(200)]
        return appender.append(records)

    with ThreadPoolExecutor() as threads:
        newest_ms = list(threads.map(append, range(fresh_settings.kafka.partitions)))

    for partition, appended_ms in enumerate(newest_ms):
        found = records_in(fresh_settings, partition)
        assert [record.value for record in found] == [bytes([number]) for number in range(200)]
        assert found[-1].appended_ms == appended_ms


def test_nothing_is_appended_at_once(appender: Appender) -> None:
    assert appender.append([]) == 0


@pytest.mark.parametrize(
    ("partition", "size"), [(99, 10), (0, 10_000_000)], ids=["no such partition", "too large"]
)
def test_what_is_refused_is_told(
    fresh_settings: Settings, appender: Appender, partition: int, size: int
) -> None:
    topic = topic_of(fresh_settings)
    with pytest.raises(NotAppended, match=topic):
        appender.append([Outgoing(topic, None, partition, bytes(size))])


def test_a_fatal_error_is_told_to_whoever_waits_and_to_whoever_comes_later(
    fresh_settings: Settings, appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Producers(appending, monkeypatch)
    record = Outgoing(topic_of(fresh_settings), None, 0, b"a fact")
    appender.append([record])

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(appender.append, [record] * 50_000)
        made.break_off()
        with pytest.raises(NotAppended):
            waiting.result(60)

    with pytest.raises(NotAppended):
        appender.append([record])
