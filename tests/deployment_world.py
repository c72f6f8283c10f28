"""A log in memory with the deployments of one model in it: time stands still until it is moved."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from modeltrail.infra.log_reader import LogRecord
from modeltrail.processors.deployments.log import Place
from modeltrail.processors.deployments.partition import DeploymentsPartition
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.deployment_policy import policy_from_yaml, policy_json
from modeltrail.schemas.events import (
    AlertRaised,
    BenchmarkMeasured,
    BenchmarkRequested,
    DeploymentCancelRequested,
    DeploymentRequested,
    Fact,
    ModelErased,
    ModelRegistered,
    ModelValidated,
    NodeReported,
    RollbackRequested,
    RoutingSet,
    ServedArm,
    Severity,
    StepStarted,
    ValidationRequested,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    Sha256,
    Version,
    derived_event_id,
)
from modeltrail.schemas.topics import DEPLOYMENTS, REGISTRY, TOPICS, WORK, Topic

MODEL = ModelId("centerface")
PRODUCTION = "production"
START_MS = 1_700_000_000_000
#: Quick shares and no trial.
QUICK = "production: {shares_percent: [10, 100], hold_s: 2, deadline_s: 60, watch_s: 100}"
CODEC = Codec(MemorySchemaIds())
_TOPIC_OF = {kind: topic for topic in TOPICS for kind in topic.facts}

T = TypeVar("T", bound=Fact)


class MemoryLog:
    """Partition 0 of every topic."""

    partitions = 1

    def __init__(self) -> None:
        self.records: defaultdict[Topic, list[LogRecord]] = defaultdict(list)
        self._facts: defaultdict[Topic, list[Fact]] = defaultdict(list)

    def append(self, fact: Fact, now_ms: int) -> None:
        """Append a fact to its topic."""
        topic, value = _TOPIC_OF[type(fact)], CODEC.encode(fact)
        self.records[topic].append(LogRecord(len(self.records[topic]), now_ms, value))
        self._facts[topic].append(CODEC.decode(value))

    def facts(self, topic: Topic) -> list[Fact]:
        """Every fact of a topic."""
        return self._facts[topic]

    def ends(self) -> dict[Place, int]:
        return {(topic, 0): len(self.records[topic]) for topic in TOPICS}

    def first(self, place: Place) -> int:
        return 0

    def offset_at(self, place: Place, appended_ms: int) -> int | None:
        for record in self.records[place[0]]:
            if record.appended_ms >= appended_ms:
                return record.offset
        return None

    def read(self, place: Place, first: int, end: int) -> list[LogRecord]:
        return self.records[place[0]][first:end]

    def keep(self, places: Iterable[Place]) -> None:
        pass


class MemoryControl:
    """The registry's facts of a log."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def records_since(self, index: int) -> list[Appended]:
        records, facts = self._log.records[REGISTRY], self._log.facts(REGISTRY)
        return [
            Appended(0, record.offset, record.appended_ms, fact)
            for record, fact in zip(records[index:], facts[index:], strict=True)
        ]

    def wait_until_complete(self, appended_ms: int) -> None:
        pass


class World:
    """One worker, its log and the time; what others answer is appended by the test."""

    def __init__(self, versions: Iterable[str] = ("v1.0.0", "v2.0.0", "v3.0.0")) -> None:
        self.log = MemoryLog()
        self.now_ms = START_MS
        self.ratio = 1.0
        self.answering = True
        self._delivered = 0
        self._answered: set[EventId] = set()
        self._number = 0
        for version in versions:
            self.append(registered(version))
        self.worker = self._start()

    def append(self, *facts: Fact) -> None:
        """Append facts of somebody else."""
        for fact in facts:
            self.log.append(fact, self.now_ms)

    def facts(self, kind: type[T]) -> list[T]:
        """Every fact of a kind, those that came twice once."""
        found = {
            fact.event_id: fact
            for fact in self.log.facts(_TOPIC_OF[kind])
            if isinstance(fact, kind)
        }
        return list(found.values())

    def deploy(self, version: str, policy: str = QUICK, environment: str = PRODUCTION) -> EventId:
        """Ask for a deployment under a policy in YAML."""
        fact = DeploymentRequested(
            event_id=self._new_id(),
            occurred_at=self.now_us,
            model_id=MODEL,
            version=Version(version),
            environment=environment,
            policy_json=policy_json(policy_from_yaml(policy)),
            requested_by="ops",
        )
        self.append(fact)
        return fact.event_id

    def cancel(self, deployment_id: EventId) -> EventId:
        """Ask that a deployment stop."""
        fact = DeploymentCancelRequested(self._new_id(), self.now_us, deployment_id, MODEL, "ops")
        self.append(fact)
        return fact.event_id

    def roll_back(self, version: str | None = None, environment: str = PRODUCTION) -> EventId:
        """Ask for an earlier version."""
        wanted = None if version is None else Version(version)
        fact = RollbackRequested(self._new_id(), self.now_us, MODEL, environment, wanted, "ops")
        self.append(fact)
        return fact.event_id

    def alert(self, version: str, severity: Severity = Severity.CRITICAL) -> EventId:
        """Raise an alert about a version in production."""
        fact = replace(
            example_fact(AlertRaised),
            event_id=self._new_id(),
            model_id=MODEL,
            version=Version(version),
            environment=PRODUCTION,
            severity=severity,
        )
        self.append(fact)
        return fact.event_id

    def advance(self, seconds: float, step_s: float = 0.5) -> None:
        """Let time run; the worker looks again every `step_s`."""
        end_ms = self.now_ms + round(seconds * 1000)
        self.settle()
        while self.now_ms < end_ms:
            self.now_ms = min(self.now_ms + round(step_s * 1000), end_ms)
            self.settle()

    def settle(self) -> None:
        """Do all that is to be done now."""
        while self.deliver() | self.tick() | self.answer():
            pass

    def deliver(self, most: int = 1_000_000) -> bool:
        """Give the worker records of the log that it has not seen; whether there were any."""
        records = self.log.records[DEPLOYMENTS][self._delivered :][:most]
        for record in records:
            self.append(*self.worker.absorb(record))
            self._delivered += 1
        return bool(records)

    def undelivered(self) -> Fact | None:
        """The next fact that the worker has not seen."""
        return next(iter(self.log.facts(DEPLOYMENTS)[self._delivered :]), None)

    def tick(self) -> bool:
        """Let the worker decide; whether it did."""
        facts = self.worker.tick(self.now_us)
        self.append(*facts)
        return bool(facts)

    def answer(self) -> bool:
        """Answer, as workers do, what was asked for; whether anything was."""
        asked = (
            [fact for fact in self.log.facts(WORK) if fact.event_id not in self._answered]
            if self.answering
            else []
        )
        for fact in asked:
            self._answered.add(fact.event_id)
            if isinstance(fact, ValidationRequested):
                self.append(validated(fact))
            elif isinstance(fact, BenchmarkRequested):
                self.append(measured(fact, self.ratio))
        return bool(asked)

    def restart(self, redelivered: int = 0) -> None:
        """Kill the worker and start another, which gets the last records again."""
        self.worker = self._start()
        self._delivered = max(self._delivered - redelivered, 0)

    def routing(self, environment: str = PRODUCTION) -> list[tuple[str, int]]:
        """The newest shares, as (version, share)."""
        newest = [each for each in self.facts(RoutingSet) if each.environment == environment]
        if not newest:
            return []
        return [
            (arm.version, arm.share) for arm in max(newest, key=lambda each: each.revision).arms
        ]

    def open_step(self) -> StepStarted:
        """The step that began last."""
        return self.facts(StepStarted)[-1]

    @property
    def now_us(self) -> Micros:
        """The time, us."""
        return Micros(self.now_ms * 1000)

    def _start(self) -> DeploymentsPartition:
        control: Any = MemoryControl(self.log)
        worker = DeploymentsPartition(0, CODEC, control, self.log)
        self.append(*worker.replay())
        return worker

    def _new_id(self) -> EventId:
        self._number += 1
        return derived_event_id("deployment test", self._number)


def registered(version: str, model: str = MODEL) -> ModelRegistered:
    """A version in the registry."""
    return replace(
        example_fact(ModelRegistered),
        event_id=derived_event_id("registered", model, version),
        model_id=ModelId(model),
        version=Version(version),
        artifact_sha256=Sha256(derived_event_id("artifact", model, version) * 2),
    )


def erased(version: str) -> ModelErased:
    """That an artifact is gone."""
    return replace(
        example_fact(ModelErased),
        event_id=derived_event_id("erased", version),
        model_id=MODEL,
        version=Version(version),
    )


def validated(asked: ValidationRequested, outcome: str = "PASSED") -> ModelValidated:
    """What a worker answers."""
    evidence = {"checks": [{"name": "sha256", "outcome": outcome, "detail": "compared"}]}
    return ModelValidated(
        event_id=derived_event_id("ModelValidated", asked.event_id),
        occurred_at=asked.occurred_at,
        request_id=asked.event_id,
        deployment_id=asked.deployment_id,
        model_id=asked.model_id,
        version=asked.version,
        worker="host",
        evidence_json=json.dumps(evidence),
    )


def measured(asked: BenchmarkRequested, ratio: float = 1.0) -> BenchmarkMeasured:
    """What a node answers: a latency around 30 ms, and for the candidate `ratio` times that."""
    baseline = [30.0 + (number * 7 % 11) / 10 for number in range(60)]
    batch = {
        "batch_size": 1,
        "candidate_ms": [each * ratio for each in baseline],
        "baseline_ms": baseline if asked.baseline_version else [],
    }
    return BenchmarkMeasured(
        event_id=derived_event_id("BenchmarkMeasured", asked.event_id),
        occurred_at=asked.occurred_at,
        request_id=asked.event_id,
        deployment_id=asked.deployment_id,
        model_id=asked.model_id,
        version=asked.version,
        evidence_json=json.dumps({"failure": "", "batches": [batch]}),
        node_id=asked.node_id or "",
    )


def reported(
    node: str,
    serves: str | None = None,
    failing: str | None = None,
    environment: str = "staging",
    *,
    may_pass: bool = False,
    follows: str | None = None,
) -> NodeReported:
    """What a node says that it serves, follows and fails at, and whether that may pass."""
    arms = []
    if serves is not None:
        digest = registered(serves).artifact_sha256
        arms.append(ServedArm(MODEL, 1, "candidate", Version(serves), digest))
    fails_at = (f"{MODEL} {failing}",) if failing else ()
    return NodeReported(
        event_id=derived_event_id("reported", node, serves or "", failing or "", str(may_pass)),
        occurred_at=Micros(START_MS * 1000),
        node_id=NodeId(node),
        environment=environment,
        heartbeat_s=10.0,
        serves=tuple(arms),
        failing=fails_at,
        follows=(ModelId(follows),) if follows else (),
        transient=fails_at if may_pass else (),
    )
