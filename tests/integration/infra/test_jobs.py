"""Workers of a group share requests on real Kafka, and each request has one answer."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, TopicPartition

from modeltrail.infra.clock import Clock, ManualClock, SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.confined import Interrupted
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.jobs import Desk, run_jobs
from modeltrail.infra.kafka import make_consumer, make_producer
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, ModelValidated, ValidationRequested
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version, derived_event_id
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import DEPLOYMENTS, WORK, key_of
from tests.integration.conftest import settings_of_their_own
from tests.waiting import eventually

REQUESTS = 12
# Of two partitions, when a second member comes: as Kafka's cooperative sticky strategy has it.
THE_ONE_THAT_MOVES = 0
# Far longer than a member that has a partition takes to begin.
A_MOMENT_S = 3.0


@dataclass
class Slowly:
    """A job that takes a moment, fails now and then, and counts what it began.

    Of its requests, the one of number `never_ends` is worked on until somebody stops it.
    """

    takes_s: float = 0.1
    away_at_first: bool = False
    never_ends: int | None = None
    begun: list[EventId] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event | None = None

    def takes(self, fact: Fact) -> bool:
        return isinstance(fact, ValidationRequested)

    def expires_s(self, fact: Fact) -> float | None:
        return 600.0

    def do(self, request: Appended, stop: threading.Event) -> Fact:
        fact = request.fact
        assert isinstance(fact, ValidationRequested)
        self.begun.append(fact.event_id)
        self.stop = stop
        self.began.set()
        if self.away_at_first and self.begun.count(fact.event_id) == 1:
            raise Unavailable("the store is away")
        if stop.wait(None if len(self.begun) == self.never_ends else self.takes_s):
            raise Interrupted("stopped")
        return ModelValidated(
            event_id=derived_event_id("answer", fact.event_id),
            occurred_at=Micros(1),
            request_id=fact.event_id,
            deployment_id=fact.deployment_id,
            model_id=fact.model_id,
            version=fact.version,
            worker="w",
            evidence_json="{}",
        )


class AnswersWhenAllowed(Codec):
    """Encodes no answer before `allowed` is set."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(ConfluentSchemaIds(settings.schema_registry))
        self.answering, self.allowed = threading.Event(), threading.Event()

    def encode(self, fact: Fact) -> bytes:
        if isinstance(fact, ModelValidated):
            self.answering.set()
            self.allowed.wait()
        return super().encode(fact)


def request(number: int) -> ValidationRequested:
    return ValidationRequested(
        event_id=derived_event_id("request", number),
        occurred_at=Micros(number),
        deployment_id=derived_event_id("deployment", number),
        model_id=ModelId(f"model-{number}"),
        version=Version("v1.0.0"),
        artifact_sha256=Sha256(bytes(32)),
        settings_json="{}",
    )


def ask(settings: Settings, codec: Codec, numbers: Iterable[int] = range(REQUESTS)) -> set[EventId]:
    producer = make_producer(settings.kafka)
    asked = set()
    for fact in map(request, numbers):
        asked.add(fact.event_id)
        name = WORK.full_name(settings.kafka.topic_prefix)
        producer.produce(name, key=key_of(fact.model_id), value=codec.encode(fact))
    # what is no fact is passed over
    producer.produce(WORK.full_name(settings.kafka.topic_prefix), key=b"x", value=b"no fact")
    assert producer.flush(30) == 0
    return asked


def answers(settings: Settings, codec: Codec) -> Counter[EventId]:
    name = DEPLOYMENTS.full_name(settings.kafka.topic_prefix)
    found: Counter[EventId] = Counter()
    for partition in range(settings.kafka.partitions):
        for value in read_partition(settings.kafka, name, partition):
            fact = codec.decode(value or b"")
            assert isinstance(fact, ModelValidated)
            found[fact.request_id] += 1
    return found


@contextmanager
def working(
    settings: Settings,
    job: Slowly,
    clock: Clock | None = None,
    codec: Codec | None = None,
    *,
    awaited: bool = True,
) -> Iterator[threading.Event]:
    """A worker in threads of this process, ready if that is awaited; the event stops it."""
    stop, ready = threading.Event(), threading.Event()
    codec = codec or Codec(ConfluentSchemaIds(settings.schema_registry))
    desk = Desk("test-jobs", WORK, DEPLOYMENTS, (job,))
    worker = threading.Thread(
        target=run_jobs,
        args=(settings.kafka, codec, desk, stop, ready.set, clock or SystemClock()),
    )
    worker.start()
    try:
        eventually(lambda: ready.is_set() or not awaited)
        yield stop
    finally:
        stop.set()
        eventually(lambda: not worker.is_alive())


@pytest.fixture
def codec(fresh_settings: Settings) -> Codec:
    return Codec(ConfluentSchemaIds(fresh_settings.schema_registry))


def test_workers_that_come_and_go_answer_every_request_once(
    fresh_settings: Settings, codec: Codec
) -> None:
    asked = ask(fresh_settings, codec)
    first, second = Slowly(never_ends=2), Slowly()
    with working(fresh_settings, first) as stop:
        eventually(lambda: len(first.begun) >= 2)
        with working(fresh_settings, second):
            # the first leaves in the middle of its work
            stop.set()
            eventually(lambda: set(answers(fresh_settings, codec)) == asked, poll_s=0.2)
    found = answers(fresh_settings, codec)
    assert set(found.values()) == {1}
    assert first.begun
    assert second.begun


def test_a_partition_goes_to_another_worker_once_the_answer_on_its_way_is_in_the_log(
    stack: Settings, tmp_path: Path
) -> None:
    two = replace(stack, kafka=replace(stack.kafka, partitions=2))
    settings = settings_of_their_own(two, tmp_path)
    slow, codec = AnswersWhenAllowed(settings), Codec(ConfluentSchemaIds(settings.schema_registry))
    first, second = Slowly(), Slowly()
    moving = [
        number
        for number in range(REQUESTS)
        if partition_of(key_of(request(number).model_id), 2) == THE_ONE_THAT_MOVES
    ]
    with working(settings, first, codec=slow):
        asked = ask(settings, codec, moving)
        eventually(slow.answering.is_set)
        with working(settings, second, awaited=False):
            eventually(lambda: first.stop is not None and first.stop.is_set())

            took_it_before = second.began.wait(A_MOMENT_S)
            slow.allowed.set()

            eventually(lambda: set(answers(settings, codec)) == asked)
    assert not took_it_before
    assert set(answers(settings, codec).values()) == {1}


def test_a_server_that_is_away_is_waited_for(fresh_settings: Settings, codec: Codec) -> None:
    asked = ask(fresh_settings, codec, [0])
    job = Slowly(away_at_first=True)
    with working(fresh_settings, job):
        eventually(lambda: set(answers(fresh_settings, codec)) == asked)
    assert len(job.begun) == 2


def test_what_nobody_waits_for_any_more_is_not_done(fresh_settings: Settings, codec: Codec) -> None:
    ask(fresh_settings, codec, [0])
    late = Slowly()
    tomorrow = ManualClock(SystemClock().now_us())
    tomorrow.advance(24 * 3600)
    with working(fresh_settings, late, tomorrow):
        eventually(lambda: committed(fresh_settings) == 2)
    assert late.begun == []
    assert not answers(fresh_settings, codec)


def committed(settings: Settings) -> int | None:
    """How many records of `work` the group is done with; None where the broker does not say."""
    group = f"{settings.kafka.topic_prefix}test-jobs"
    name = WORK.full_name(settings.kafka.topic_prefix)
    places = [TopicPartition(name, number) for number in range(settings.kafka.partitions)]
    with closing(make_consumer(settings.kafka, group)) as consumer:
        try:
            found = consumer.committed(places, timeout=10)
        except KafkaException:
            return None
    return sum(max(0, each.offset) for each in found)
