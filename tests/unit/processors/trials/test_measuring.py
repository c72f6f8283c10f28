"""Open trials are read from their start, told of once a second, and let go at their end."""

from collections.abc import Sequence

from modeltrail.infra.clock import ManualClock
from modeltrail.processors.trials.cursor import Record
from modeltrail.processors.trials.measuring import FETCH, NEWS_S, TrialsMeasuring, World
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import DecodedBatch, decode_batch
from modeltrail.schemas.events import Fact, SessionsMeasured
from tests.unit.processors.trials.inference_log import (
    CODEC,
    SINCE_MS,
    STARTED,
    frames,
    records,
)
from tests.unit.processors.trials.test_open_trials import COMPLETED


class Topic:
    """Two partitions of measurements that hold the same records; and who reads them."""

    def __init__(self, log: Sequence[Record]) -> None:
        self.log = log
        self.opened: list[int] = []
        self.closed = 0
        self.published: list[SessionsMeasured] = []
        self.clock = ManualClock()

    def reader(self, since_ms: int) -> "Reader":
        self.opened.append(since_ms)
        return Reader(self)

    def decode(self, values: Sequence[bytes | None]) -> DecodedBatch:
        return decode_batch(values, CODEC)

    def measuring(self) -> TrialsMeasuring:
        return TrialsMeasuring(World(self.reader, self.decode, self.published.extend, self.clock))


class Reader:
    """Gives a fetch of each partition every time it is asked."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._next = 0

    def fetch(self, most: int, wait_s: float) -> dict[int, list[Record]]:
        part = list(self._topic.log[self._next : self._next + most // 2])
        self._next += len(part)
        return {0: part, 1: part} if part else {}

    def close(self) -> None:
        self._topic.closed += 1


def started(measuring: TrialsMeasuring, *facts: Fact) -> TrialsMeasuring:
    measuring.absorb(Appended(0, at, SINCE_MS + at, fact) for at, fact in enumerate(facts))
    return measuring


def test_without_an_open_trial_nothing_is_read() -> None:
    topic = Topic(records(frames("a", 3)))
    measuring = started(topic.measuring(), STARTED, COMPLETED)
    measuring.turn(1.0)
    assert measuring.idle()
    assert topic.opened == []


def test_an_open_trial_is_read_from_its_start_and_its_sessions_published() -> None:
    topic = Topic(records(frames("a", 3)))
    started(topic.measuring(), STARTED).turn(1.0)
    assert topic.opened == [SINCE_MS]
    assert [fact.inference_partition for fact in topic.published] == [0, 1]


def test_a_turn_without_news_publishes_nothing() -> None:
    topic = Topic(records(frames("a", 3)))
    measuring = started(topic.measuring(), STARTED)
    for _ in range(3):
        measuring.turn(1.0)
    assert len(topic.published) == 2


def test_what_lies_far_behind_is_told_of_once_a_second() -> None:
    topic = Topic(records([*frames("a", 3), *frames("b", FETCH // 2)]))
    measuring = started(topic.measuring(), STARTED)
    measuring.turn(1.0)
    assert topic.published == []
    topic.clock.advance(NEWS_S)
    measuring.turn(1.0)
    assert len(topic.published) == 2


def test_a_trial_that_ended_is_let_go() -> None:
    topic = Topic(records(frames("a", 3)))
    measuring = started(topic.measuring(), STARTED)
    measuring.turn(1.0)
    started(measuring, COMPLETED).turn(1.0)
    assert (measuring.idle(), topic.closed) == (True, 1)


def test_a_worker_that_begins_again_publishes_the_same_facts() -> None:
    topic = Topic(records([*frames("a", 3), *frames("b", 3, "candidate")]))
    for _ in range(2):
        measuring = started(topic.measuring(), STARTED)
        measuring.turn(1.0)
        measuring.close()
    assert topic.published[:2] == topic.published[2:]
    assert topic.closed == 2
