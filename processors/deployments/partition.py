"""Holds the models of one partition of the deployments topic: state from the log, then live.

Nothing but the log holds the state. A record is folded when it is read, whoever wrote it; what is
published counts once it is read. So it does not matter when a worker was killed, nor whether two
of them took themselves for the owner of a partition for a while.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.deployments.fleet import Fleet
from modeltrail.processors.deployments.fold import ModelState, fold, standing
from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.log import DeploymentLog, Place
from modeltrail.processors.deployments.needs import Need, is_busy, needs_of
from modeltrail.processors.patience import persistently
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    DeploymentRequested,
    Fact,
    RollbackRequested,
    StepStarted,
)
from modeltrail.schemas.ids import EventId, ModelId
from modeltrail.schemas.topics import DEPLOYMENTS, ETHICS, NODES, REGISTRY, WORK, Topic

log = logging.getLogger(__name__)

#: Topics of which everything is retained once it was read: what is new needs no look back.
_RETAINED = (NODES, ETHICS)


@dataclass(slots=True)
class DeploymentsPartition:
    """One partition; its calls block.

    Attributes:
        number: of the partition.
        codec: decodes the records.
        control: the registry's facts.
        source: where the other facts are.
    """

    number: int
    codec: Codec
    control: ControlLog
    source: DeploymentLog
    next_offset: int = 0
    _states: defaultdict[ModelId, ModelState] = field(
        default_factory=lambda: defaultdict(ModelState)
    )
    _busy: set[ModelId] = field(default_factory=set)
    _fleet: Fleet = field(default_factory=Fleet)
    _recovered: set[tuple[EventId, int]] = field(default_factory=set)
    _control_index: int = 0
    _next: dict[Place, int] = field(default_factory=dict)
    _purposes: dict[Topic, set[tuple[EventId, int]]] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Whether time alone can change anything."""
        return bool(self._busy)

    def replay(self) -> list[Fact]:
        """Fold the whole partition and give what follows from it now.

        Raises:
            Unavailable: Kafka did not answer.
        """
        place = (DEPLOYMENTS, self.number)
        first, end = self.source.first(place), self.source.ends()[place]
        records = list(self._decoded(self.source.read(place, first, end)))
        if records:
            self._await_registry(records[-1].appended_ms)
        for record in records:
            self._fold(record)
        self.next_offset = end
        self._recovered = {
            need.about for state in self._states.values() for need in needs_of(state, 0)
        }
        log.info("partition %d: deployments folded up to offset %d", self.number, end)
        return self.standing()

    def standing(self) -> list[Fact]:
        """What follows from all that was folded so far."""
        return [fact for state in self._states.values() for fact in standing(state)]

    def absorb(self, record: LogRecord) -> list[Fact]:
        """Fold a record of the deployments topic and give what follows at once.

        What lies before it and was read by another worker is read first; what is known is not
        folded again.

        Raises:
            Unavailable: Kafka did not answer.
        """
        if record.offset < self.next_offset:
            return []
        place = (DEPLOYMENTS, self.number)
        between: Iterable[LogRecord] = ()
        if record.offset > self.next_offset:
            between = self.source.read(place, self.next_offset, record.offset)
        facts: list[Fact] = []
        for appended in self._decoded([*between, record]):
            if _needs_registry(appended.fact):
                self._await_registry(appended.appended_ms)
            facts += self._fold(appended)
        self.next_offset = record.offset + 1
        return facts

    def tick(self, now_us: int) -> list[Fact]:
        """Read what the running deployments need, up to now, and give what is decided then.

        Raises:
            Unavailable: Kafka did not answer.
        """
        if not self._busy:
            return []
        now_ms = now_us // 1000
        needs = [need for model in self._busy for need in needs_of(self._states[model], now_ms)]
        self._read_needed([need for need in needs if self._is_news(need)])
        tick = Tick(now_us, self._fleet.live(now_ms))
        facts: list[Fact] = []
        for model in sorted(self._busy):
            self._states[model], found = fold(self._states[model], tick)
            facts += found
            self._note(model)
        return facts

    def _is_news(self, need: Need) -> bool:
        # What this worker asked for it knows; what one before it asked for is in the log.
        return need.topic is not WORK or need.about in self._recovered

    def _read_needed(self, needs: list[Need]) -> None:
        topics = {need.topic for need in needs}
        self._next = {place: at for place, at in self._next.items() if place[0] in topics}
        self._purposes = {topic: self._purposes.get(topic, set()) for topic in topics}
        if not topics:
            return
        ends = self.source.ends()
        for topic in sorted(topics, key=lambda each: each.name):
            wanted = [need for need in needs if need.topic is topic]
            fresh = [need for need in wanted if need.about not in self._purposes[topic]]
            for place in self._places(topic):
                if place not in self._next or (fresh and topic not in _RETAINED):
                    self._rewind(place, min(need.since_ms for need in fresh), ends[place])
                self._read(place, ends[place])
            self._purposes[topic] = {need.about for need in wanted}

    @property
    def follows(self) -> set[Place]:
        """The places that are read at every tick."""
        return set(self._next)

    def _places(self, topic: Topic) -> list[Place]:
        # Nodes are keyed by node, all other topics by model.
        numbers = range(self.source.partitions) if topic is NODES else (self.number,)
        return [(topic, number) for number in numbers]

    def _rewind(self, place: Place, since_ms: int, end: int) -> None:
        found = self.source.offset_at(place, since_ms)
        first = end if found is None else found
        self._next[place] = min(first, self._next.get(place, first))

    def _read(self, place: Place, end: int) -> None:
        first = self._next[place]
        if first >= end:
            return
        for record in self._decoded(self.source.read(place, first, end)):
            if place[0] is NODES:
                self._fleet.absorb(record)
            else:
                self._fold(record)
        self._next[place] = end

    def _await_registry(self, appended_ms: int) -> None:
        persistently(partial(self.control.wait_until_complete, appended_ms))
        for record in self.control.records_since(self._control_index):
            self._control_index += 1
            if record.partition == self.number and isinstance(record.fact, REGISTRY.facts):
                self._fold(record)

    def _fold(self, record: Appended) -> tuple[Fact, ...]:
        model_id = getattr(record.fact, "model_id", None)
        if model_id is None:
            return ()
        self._states[model_id], facts = fold(self._states[model_id], record)
        self._note(model_id)
        return facts

    def _note(self, model_id: ModelId) -> None:
        if is_busy(self._states[model_id]):
            self._busy.add(model_id)
        else:
            self._busy.discard(model_id)

    def _decoded(self, records: Iterable[LogRecord]) -> Iterator[Appended]:
        for record in records:
            if record.value is None:
                continue
            try:
                fact = persistently(partial(self.codec.decode, record.value))
            except DecodeError as error:
                # The projector reads these topics too and files the dead letter.
                log.warning("record skipped: %s", error)
                continue
            yield Appended(self.number, record.offset, record.appended_ms, fact)


def _needs_registry(fact: Fact) -> bool:
    """Whether what is decided about a fact needs the registry as of its append time."""
    match fact:
        case DeploymentRequested() | RollbackRequested() | StepStarted():
            return True
        case _:
            return False
