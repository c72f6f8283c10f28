"""A partition that is folded again gives what its log lacks, and nothing twice."""

from dataclasses import dataclass, field, replace

import pytest

from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.replaying import FoldedPartition
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    AlertRaised,
    AlertResolved,
    Fact,
    PartitionAdvanced,
    ThresholdsSet,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros, derived_event_id

SECOND = 1_000_000
CODEC = Codec(MemorySchemaIds())


class Control:
    """Stands for the control log: notes up to when it had to be complete."""

    def __init__(self) -> None:
        self.waited: list[int] = []
        self.facts = [Appended(0, 0, 0, example_fact(ThresholdsSet))]

    def records_since(self, index: int) -> list[Appended]:
        return self.facts[index:]

    def wait_until_complete(self, appended_ms: int) -> None:
        self.waited.append(appended_ms)


class Merging:
    """Decides a window at every advance."""

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        fact = record.fact
        if not isinstance(fact, PartitionAdvanced):
            return ()
        end = Micros(fact.advanced_to - SECOND)
        closed = replace(
            example_fact(WindowClosed), event_id=derived_event_id("closed", end), end=end
        )
        return closed, WindowsDecided(derived_event_id("decided", end), 0, end)


@dataclass
class Judging:
    """Raises an alert when the third window in a row was closed, resolves it at the fifth."""

    closed: int = 0
    is_open: bool = False
    said_until: int = 0
    saw: list[Fact] = field(default_factory=list)

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        fact = record.fact
        self.saw.append(fact)
        if isinstance(fact, AlertRaised | AlertResolved):
            self.is_open, self.said_until = isinstance(fact, AlertRaised), fact.occurred_at
        if not isinstance(fact, WindowsDecided) or fact.end <= self.said_until:
            return ()
        number = fact.end // (10 * SECOND)
        kind = AlertRaised if number % 5 == 3 else AlertResolved if number % 5 == 0 else None
        if kind is None or self.is_open == (kind is AlertRaised):
            return ()
        self.is_open = kind is AlertRaised
        event_id = derived_event_id(kind.record, number)
        return (replace(example_fact(kind), event_id=event_id, occurred_at=fact.end),)


def folded() -> FoldedPartition:
    return FoldedPartition(0, Merging(), [Judging()], Control(), CODEC)  # type: ignore[arg-type]


def advanced(number: int) -> Fact:
    return replace(
        example_fact(PartitionAdvanced),
        event_id=derived_event_id("advanced", number),
        advanced_to=Micros((number * 10 + 1) * SECOND),
    )


@dataclass
class Log:
    """Both topics, written as the runner writes them."""

    windows: list[LogRecord] = field(default_factory=list)
    alerts: list[LogRecord] = field(default_factory=list)

    def append(self, *facts: Fact) -> None:
        for fact in facts:
            is_alert = isinstance(fact, AlertRaised | AlertResolved)
            topic = self.alerts if is_alert else self.windows
            topic.append(LogRecord(len(topic), len(self.windows), CODEC.encode(fact)))

    def run(self, live: FoldedPartition, numbers: range) -> None:
        """Advance, and append what follows until nothing more does."""
        for number in numbers:
            self.append(advanced(number))
            while live.next_offset < len(self.windows):
                self.append(*live.absorb(self.windows[live.next_offset]))


def test_a_log_that_has_everything_lacks_nothing() -> None:
    # given a log written by one run
    log = Log()
    log.run(folded(), range(1, 20))
    # when it is folded again from its beginning
    missing = folded().replay(log.windows, log.alerts, from_beginning=True)
    # then nothing is missing
    assert missing == ()


@pytest.mark.parametrize("lost", range(1, 9))
def test_what_a_killed_process_did_not_publish_is_missing(lost: int) -> None:
    # given a log whose last facts were never published
    log = Log()
    log.run(folded(), range(1, 14))
    whole = [*log.windows]
    last_input = max(i for i, record in enumerate(whole) if is_advanced(record))
    end = max(last_input + 1, len(whole) - lost)
    short = Log(whole[:end], log.alerts)
    # when it is folded again and goes on
    again = folded()
    short.append(*again.replay(short.windows, short.alerts, from_beginning=True))
    while again.next_offset < len(short.windows):
        short.append(*again.absorb(short.windows[again.next_offset]))
    # then the same facts are in it
    assert ids(short.windows) == ids(whole)


@pytest.mark.parametrize("first", range(1, 40))
def test_the_end_of_the_log_is_enough(first: int) -> None:
    # given a log of which the beginning is not read
    log = Log()
    log.run(folded(), range(1, 30))
    # when it is folded again and goes on
    again = folded()
    missing = again.replay(log.windows[first:], log.alerts, from_beginning=False)
    alerts_before = len(log.alerts)
    straight = Log([*log.windows], [*log.alerts])
    straight_run = folded()
    straight_run.replay(straight.windows, straight.alerts, from_beginning=True)
    straight.run(straight_run, range(30, 40))
    log.run(again, range(30, 40))
    # then nothing was missing, and what follows is the same
    assert missing == ()
    assert ids(log.windows) == ids(straight.windows)
    assert ids(log.alerts)[alerts_before:] == ids(straight.alerts)[alerts_before:]
    assert len(log.alerts) > alerts_before


def test_rules_are_complete_before_a_decision_is_judged() -> None:
    # given a partition
    live = folded()
    log = Log()
    # when it decides
    log.run(live, range(1, 3))
    # then the control log was complete up to the ends of both windows, and its facts came once
    control, judge = live.control, live.judges[0]
    assert isinstance(control, Control)
    assert isinstance(judge, Judging)
    assert control.waited == [10_000, 20_000]
    assert sum(isinstance(fact, ThresholdsSet) for fact in judge.saw) == 1


def ids(records: list[LogRecord]) -> list[bytes]:
    return [CODEC.decode(record.value).event_id for record in records if record.value]


def is_advanced(record: LogRecord) -> bool:
    return record.value is not None and isinstance(CODEC.decode(record.value), PartitionAdvanced)
