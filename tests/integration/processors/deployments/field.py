"""Plays workers, nodes and sessions on a real log, and holds back what a test tells it to."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.publishing import key_in
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Cursor
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    AlertRaised,
    BenchmarkRequested,
    DeploymentStep,
    EthicsAssessed,
    Fact,
    NodeReported,
    ReferenceProfiled,
    RoutingSet,
    ServedArm,
    SessionsMeasured,
    SessionValue,
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
    SessionId,
    Version,
    derived_event_id,
)
from modeltrail.schemas.routing import CANDIDATE, CHAMPION
from modeltrail.schemas.topics import ALERTS, DEPLOYMENTS, ROUTING, TOPICS, WORK
from tests.deployment_world import measured, registered, validated
from tests.waiting import eventually

T = TypeVar("T", bound=Fact)

_TOPIC_OF = {kind: topic for topic in TOPICS for kind in topic.facts}
_POLL_S = 0.02
#: Enough for the trial to see that two equal arms are equal.
SESSIONS = 60


class Field:
    """What happens around the process under test; one thread uses it.

    Attributes:
        holds: whether nobody answers in a step of a model for now.
        facts: every fact of deployments, work, routing and alerts, with its append time in us, in
            the order of reading.
    """

    def __init__(self, settings: Settings) -> None:
        self.holds: Callable[[str, DeploymentStep], bool] = lambda _model, _step: False
        self.facts: list[tuple[Fact, int]] = []
        self._log = KafkaLog(settings.kafka)
        self._codec = Codec(ConfluentSchemaIds(settings.schema_registry))
        self._appender = Appender(self._log, self._codec)
        self._clock = SystemClock()
        self._waiting: list[Fact] = []
        starts = dict.fromkeys(range(settings.kafka.partitions), 0)
        self._cursors: list[Cursor] = [
            self._log.cursor(topic, starts) for topic in (DEPLOYMENTS, WORK, ROUTING, ALERTS)
        ]

    def close(self) -> None:
        """Leave Kafka."""
        for cursor in self._cursors:
            cursor.close()

    def append(self, *facts: Fact) -> None:
        """Append facts of others."""
        for fact in facts:
            topic = _TOPIC_OF[type(fact)]
            self._appender.put(topic, key_in(topic, fact), fact)
        self._appender.finish()

    def register(self, model: str, *versions: str) -> None:
        """Put versions into the registry, each with a profile and an assessment."""
        for version in versions:
            about = (model, version)
            self.append(
                registered(version, model),
                replace(
                    example_fact(ReferenceProfiled),
                    event_id=derived_event_id("profiled", *about),
                    model_id=ModelId(model),
                    version=Version(version),
                    rows=5000,
                ),
                replace(
                    example_fact(EthicsAssessed),
                    event_id=derived_event_id("assessed", *about),
                    model_id=ModelId(model),
                    version=Version(version),
                    bias_risk="LOW",
                    privacy_risk="LOW",
                ),
            )

    def until(self, condition: Callable[[], object]) -> None:
        """Read and answer until something is so."""

        def is_so() -> object:
            self._round()
            return condition()

        eventually(is_so, poll_s=0.0)

    def of(self, kind: type[T], model: str) -> list[T]:
        """Every fact of a kind about a model, those that came twice once."""
        found = {
            fact.event_id: fact
            for fact, _ in self.facts
            if isinstance(fact, kind) and getattr(fact, "model_id", None) == model
        }
        return list(found.values())

    def appended_at(self, fact: Fact) -> int:
        """When the log took a fact first, us."""
        return next(at for held, at in self.facts if held.event_id == fact.event_id)

    def alert(self, model: str, version: str, environment: str = "production") -> AlertRaised:
        """Raise a critical alert about a version."""
        fact = replace(
            example_fact(AlertRaised),
            event_id=derived_event_id("alert", model, version),
            model_id=ModelId(model),
            version=Version(version),
            environment=environment,
            severity=Severity.CRITICAL,
        )
        self.append(fact)
        return fact

    def shares(self, model: str, environment: str = "production") -> list[tuple[str, int]]:
        """The newest routing, as (version, share)."""
        found = [each for each in self.of(RoutingSet, model) if each.environment == environment]
        last = max(found, key=lambda each: each.revision, default=None)
        return [(arm.version, arm.share) for arm in last.arms] if last else []

    def _round(self) -> None:
        for cursor in self._cursors:
            for record in cursor.poll(_POLL_S):
                fact = self._codec.decode(record.value or b"")
                self.facts.append((fact, record.appended_at))
                self._waiting.append(fact)
        held = [fact for fact in self._waiting if not self._answered(fact)]
        self._waiting = held

    def _answered(self, fact: Fact) -> bool:
        step = _step_of(fact)
        if step is None:
            return True
        if isinstance(fact, ValidationRequested | BenchmarkRequested) and not self._has_started(
            fact.deployment_id, step
        ):
            # It was read before the start of its step, by which `holds` may know the step.
            return False
        if self.holds(getattr(fact, "model_id", ""), step):
            return False
        match fact:
            case ValidationRequested():
                self.append(validated(fact))
            case BenchmarkRequested():
                self.append(measured(fact))
            case StepStarted(step=DeploymentStep.STAGING):
                self.append(self.report(fact.model_id, fact.version))
            case StepStarted() if fact.trial_metrics:
                self.append(_sessions(fact, self._clock.now_us()))
        return True

    def _has_started(self, deployment: EventId, step: DeploymentStep) -> bool:
        return any(
            isinstance(fact, StepStarted) and fact.deployment_id == deployment and fact.step is step
            for fact, _ in self.facts
        )

    def report(self, model: str, version: str | None) -> NodeReported:
        """What the one node of a model's staging environment says."""
        arms = []
        if version is not None:
            digest = registered(version, model).artifact_sha256
            arms.append(ServedArm(ModelId(model), 1, CANDIDATE, Version(version), digest))
        return NodeReported(
            event_id=derived_event_id("reported", model, version or ""),
            occurred_at=Micros(self._clock.now_us()),
            node_id=NodeId(f"node-{model}"),
            environment=staging_of(model),
            heartbeat_s=60.0,
            serves=tuple(arms),
        )


def staging_of(model: str) -> str:
    """The staging environment of a model."""
    return f"staging-{model}"


def policy_for(model: str) -> str:
    """A policy with every step, as YAML; no step waits for time alone."""
    return json.dumps(
        {
            "data_quality": {},
            "ethics": {},
            "staging": {"environment": staging_of(model), "minimum_nodes": 1},
            "ab_test": {"frames_per_session": 5, "minimum_sessions": 10, "margin": 0.2},
            "production": {
                "shares_percent": [25, 100],
                "hold_s": 0,
                "minimum_sessions": 5,
                "alias": "live",
            },
        }
    )


def _step_of(fact: Fact) -> DeploymentStep | None:
    match fact:
        case ValidationRequested():
            return DeploymentStep.VALIDATION
        case BenchmarkRequested():
            return DeploymentStep.PERFORMANCE
        case StepStarted(step=DeploymentStep.STAGING) | StepStarted(step=DeploymentStep.AB_TEST):
            return fact.step
        case StepStarted(step=DeploymentStep.PRODUCTION):
            return fact.step
        case _:
            return None


def _sessions(started: StepStarted, now_us: int) -> SessionsMeasured:
    values = [
        SessionValue(
            session_id=SessionId(f"{arm}-{number}"),
            node_id=NodeId("node"),
            arm=arm,
            version=started.version,
            frames=started.frames_per_session,
            last_captured_at=Micros(now_us + number),
            means=tuple(30.0 + number % 3 for _ in started.trial_metrics),
        )
        for number in range(SESSIONS)
        for arm in (CHAMPION, CANDIDATE)
    ]
    return SessionsMeasured(
        event_id=derived_event_id("sessions", started.event_id),
        occurred_at=Micros(now_us),
        deployment_id=started.deployment_id,
        model_id=started.model_id,
        step_number=started.number,
        inference_partition=0,
        through_offset=1,
        metrics=started.trial_metrics,
        champion_started=SESSIONS,
        candidate_started=SESSIONS,
        sessions=tuple(values),
    )
