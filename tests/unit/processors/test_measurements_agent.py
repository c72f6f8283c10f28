"""Stage 1 around its fold: control first, facts acknowledged, and only then a commit."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.processors import patience
from modeltrail.processors.batching import FetchBatch
from modeltrail.processors.windows.agent import MeasurementsAgent
from modeltrail.processors.windows.reading import Batch
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.schemas.events import (
    Fact,
    InferenceMeasured,
    MeasurementSampled,
    TimeMarked,
    WindowsDecided,
)
from modeltrail.schemas.example_facts import example_facts
from modeltrail.schemas.ids import EventId, Micros

#: A cut is due at 10 s steps, a second after: 1,700,000,001 s is one.
CUT_S = 1_700_000_001
NO_ID = EventId(bytes(16))


@dataclass
class Ids:
    """A schema registry that numbers schemas, and is away for some calls."""

    schemas: list[str] = field(default_factory=list)
    failures: int = 0

    def id_of(self, subject: str, schema: str) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1

    def schema_of(self, schema_id: int) -> str:
        if self.failures:
            self.failures -= 1
            raise SchemaRegistryUnavailable("away")
        return self.schemas[schema_id - 1]


@dataclass
class Fold:
    """Gives a fact for each batch and can be committed up to the batch before."""

    steps: list[str]
    from_beginning: bool
    begun: int = -1

    def absorb_control(self, record: Appended) -> None:
        self.steps.append(f"control {record.offset}")

    def restore_samples(self, samples: Sequence[MeasurementSampled]) -> None:
        self.steps.append(f"{len(samples)} samples")

    def absorb(self, batch: Batch) -> Iterator[Fact]:
        self.begun = int(batch.offsets[0])
        self.steps.append(f"fold {self.begun}")
        yield WindowsDecided(NO_ID, 0, Micros(self.begun))

    def resume_from(self) -> int:
        return self.begun


@dataclass
class Control:
    """Control facts; says what it was asked to be complete up to."""

    facts: list[Appended] = field(default_factory=list)
    waited_for: list[int] = field(default_factory=list)

    def records_since(self, index: int) -> list[Appended]:
        return self.facts[index:]

    def wait_until_complete(self, appended_ms: int) -> None:
        self.waited_for.append(appended_ms)


class Stage:
    """The agent and everything around it, made up; `steps` says what happened in which order."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.folds: list[Fold] = []
        self.control = Control()
        self.ids = Ids()
        self.codec = Codec(self.ids)
        self.clock = ManualClock(CUT_S * 1_000_000)
        self.published: list[Fact] = []
        self.broker_ahead_ms = 0
        self.acknowledge: Callable[[], Awaitable[None]] = self._at_once
        self.agent = MeasurementsAgent(
            make_fold=self._make_fold,
            read_samples=lambda partition: [_one(MeasurementSampled)] * partition,
            control=self.control,
            codec=Codec(self.ids),
            publish=self._publish,
            clock=self.clock,
        )

    async def handle(self, fetch: FetchBatch) -> None:
        await self.agent.handle(fetch)

    def fetch(
        self, first: int, *, partition: int = 0, generation: int = 1, at_ms: int = 0,
        facts: Sequence[Fact] = (),
    ) -> FetchBatch:  # fmt: skip
        values: list[bytes | None] = [self.codec.encode(fact) for fact in facts] or [b"junk"]
        offsets = np.arange(first, first + len(values))
        times = np.full(len(values), at_ms)
        return FetchBatch("measured", partition, generation, offsets, times, values)

    def _make_fold(self, partition: int, from_beginning: bool) -> Fold:
        self.folds.append(Fold(self.steps, from_beginning))
        return self.folds[-1]

    async def _publish(self, facts: Iterable[Fact]) -> int:
        told = list(facts)
        await self.acknowledge()
        self.published += told
        self.steps.append("published")
        return self.clock.now_us() // 1000 + self.broker_ahead_ms

    async def _at_once(self) -> None: ...


def _one(kind: type[Fact]) -> Any:
    return next(fact for fact in example_facts() if isinstance(fact, kind))


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_a_fetch_is_folded_after_what_it_needs_and_then_published() -> None:
    stage = Stage()
    stage.control.facts = [Appended(0, 7, 1, _one(InferenceMeasured))]
    run(stage.handle(stage.fetch(0, partition=3)))
    assert stage.steps == ["3 samples", "control 7", "fold 0", "published"]


def test_control_facts_are_given_once() -> None:
    stage = Stage()

    async def work() -> None:
        await stage.handle(stage.fetch(0))
        stage.control.facts.append(Appended(0, 7, 1, _one(InferenceMeasured)))
        await stage.handle(stage.fetch(1))
        await stage.handle(stage.fetch(2))

    run(work())
    assert stage.steps.count("control 7") == 1


def test_the_control_topics_are_known_up_to_2_s_before_the_fetch() -> None:
    stage = Stage()
    run(stage.handle(stage.fetch(0, at_ms=50_000)))
    assert stage.control.waited_for == [48_000]


def test_they_are_known_up_to_the_fetch_where_a_declaration_decides() -> None:
    stage = Stage()
    measured = _one(InferenceMeasured)
    assert measured.extra_names
    run(stage.handle(stage.fetch(0, at_ms=50_000, facts=[measured])))
    assert stage.control.waited_for == [50_000]


def test_the_commit_moves_only_when_the_facts_are_acknowledged() -> None:
    stage = Stage()

    async def work() -> None:
        assert stage.agent.resume_from(0) is None
        await stage.handle(stage.fetch(0))
        assert stage.agent.resume_from(0) == 0

        acknowledged = asyncio.Event()
        stage.acknowledge = acknowledged.wait  # type: ignore[assignment]
        handling = asyncio.create_task(stage.handle(stage.fetch(1)))
        while "fold 1" not in stage.steps:
            await asyncio.sleep(0)
        assert stage.agent.resume_from(0) == 0
        acknowledged.set()
        await handling
        assert stage.agent.resume_from(0) == 1

    run(work())


def test_a_fault_leaves_the_commit_where_it_was() -> None:
    stage = Stage()

    async def refuse() -> None:
        raise ConnectionError

    stage.acknowledge = refuse
    with pytest.raises(ConnectionError):
        run(stage.handle(stage.fetch(5)))
    assert stage.agent.resume_from(0) is None


def test_a_partition_read_from_its_first_record_is_told_so() -> None:
    stage = Stage()

    async def work() -> None:
        await stage.handle(stage.fetch(0))
        await stage.handle(stage.fetch(9, partition=1))

    run(work())
    assert [fold.from_beginning for fold in stage.folds] == [True, False]


def test_a_new_generation_begins_anew_in_every_partition() -> None:
    stage = Stage()

    async def work() -> None:
        await stage.handle(stage.fetch(0))
        await stage.handle(stage.fetch(0, partition=1))
        await stage.handle(stage.fetch(0, partition=1, generation=2))
        assert stage.agent.resume_from(0) is None
        await stage.handle(stage.fetch(0, generation=2))

    run(work())
    assert len(stage.folds) == 4


def test_a_fetch_of_a_generation_that_is_over_is_passed_over() -> None:
    stage = Stage()

    async def work() -> None:
        await stage.handle(stage.fetch(5, generation=2))
        await stage.handle(stage.fetch(3, generation=1))

    run(work())
    assert [step for step in stage.steps if step.startswith("fold")] == ["fold 5"]
    assert stage.agent.resume_from(0) == 5


def test_a_fold_that_was_begun_for_a_generation_that_is_over_is_dropped() -> None:
    stage = Stage()
    read_samples, may_be_read = stage.agent.read_samples, threading.Event()

    def slowly(partition: int) -> Sequence[MeasurementSampled]:
        assert may_be_read.wait(10)
        return read_samples(partition)

    async def work() -> None:
        stage.agent.read_samples = slowly
        begun = asyncio.create_task(stage.handle(stage.fetch(3)))
        await asyncio.sleep(0)
        stage.agent.read_samples = read_samples
        await stage.handle(stage.fetch(7, partition=1, generation=2))
        may_be_read.set()
        await begun
        assert stage.agent.resume_from(0) is None

    run(work())
    assert [step for step in stage.steps if step.startswith("fold")] == ["fold 7"]


def test_a_schema_registry_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.0)
    stage = Stage()
    fetch = stage.fetch(0, facts=[_one(InferenceMeasured)])
    stage.ids.failures = 2
    run(stage.handle(fetch))
    assert stage.steps[-1] == "published"


def test_time_is_marked_where_the_log_does_not_show_that_a_cut_has_passed() -> None:
    stage = Stage()

    async def work() -> None:
        stage.clock.advance(0.06)
        await stage.handle(stage.fetch(0, partition=0, at_ms=CUT_S * 1000))
        await stage.handle(stage.fetch(0, partition=1, at_ms=CUT_S * 1000 + 1))
        stage.published.clear()
        await stage.agent.mark_time([0, 1, 2])

    run(work())
    assert [fact.partition for fact in stage.published if isinstance(fact, TimeMarked)] == [0, 2]


def test_a_cut_is_marked_once_in_a_partition() -> None:
    stage = Stage()

    async def work() -> None:
        stage.clock.advance(0.06)
        for _ in range(3):
            await stage.agent.mark_time([0])
            stage.clock.advance(3)
        assert len(stage.published) == 1
        stage.clock.advance(3)
        await stage.agent.mark_time([0])

    run(work())
    assert len({fact.event_id for fact in stage.published}) == 2


def test_a_mark_that_came_too_early_for_the_brokers_clock_is_made_again() -> None:
    stage = Stage()

    async def work() -> None:
        stage.clock.advance(0.06)
        stage.broker_ahead_ms = -500
        await stage.agent.mark_time([0])
        stage.clock.advance(0.25)
        await stage.agent.mark_time([0])
        stage.clock.advance(0.25)
        await stage.agent.mark_time([0])
        await stage.agent.mark_time([0])

    run(work())
    assert len(stage.published) == 3


@pytest.mark.parametrize(("after_s", "left_s"), [(0.0, 0.05), (0.05, 10.0), (9.0, 1.05)])
def test_a_mark_is_due_50_ms_after_a_cut(after_s: float, left_s: float) -> None:
    stage = Stage()
    stage.clock.advance(after_s)
    assert stage.agent.seconds_to_cut() == pytest.approx(left_s)


def test_no_time_is_marked_before_that() -> None:
    stage = Stage()

    async def work() -> None:
        await stage.handle(stage.fetch(0, at_ms=(CUT_S - 10) * 1000 + 1))
        stage.published.clear()
        stage.clock.advance(0.04)
        await stage.agent.mark_time([0])

    run(work())
    assert stage.published == []
