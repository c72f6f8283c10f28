"""What is known of the deployments of one model: what runs, what waits, who has the traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modeltrail.processors.deployments.plan import PlannedStep, plan_of, policy_in_log
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.processors.persistent_map import PersistentMap
from modeltrail.schemas.deployment_policy import DeploymentPolicy, OnInconclusive
from modeltrail.schemas.events import (
    AlertRaised,
    AliasRequested,
    BenchmarkMeasured,
    DeploymentCancelRequested,
    DeploymentRequested,
    DeploymentStep,
    EthicsAssessed,
    ModelRegistered,
    ModelValidated,
    RollbackRequested,
    RoutingSet,
    Severity,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.ids import EventId, NodeId, Version


@dataclass(frozen=True, slots=True)
class Running:
    """The deployment that runs.

    Attributes:
        request: what it began with.
        baseline: who had all traffic of the environment when it began.
        number: of the step that is open, or else of the next one.
        started: the open step; None between two steps.
        started_ms: append time of the step that began last, ms.
        completed: the step that ended last.
        share: traffic of the candidate, 1/10000.
        exposed_ms: append time of the step with which it got traffic, ms.
        staged: whether the staging environment was given to it.
        asked: how often a worker or node was asked in the open step.
        asked_node: the node that was asked last; None: a worker, or nobody.
        answer: what it answered.
        trial: the sessions of the open step.
        alert: the first alert that takes it back.
    """

    request: DeploymentRequested
    baseline: Version | None
    number: int = 0
    started: StepStarted | None = None
    started_ms: int = 0
    completed: StepCompleted | None = None
    share: int = 0
    exposed_ms: int | None = None
    staged: bool = False
    asked: int = 0
    asked_node: NodeId | None = None
    answer: ModelValidated | BenchmarkMeasured | None = None
    trial: TrialSummary = field(default_factory=TrialSummary)
    alert: AlertRaised | None = None

    @property
    def policy(self) -> DeploymentPolicy:
        """The policy that it goes by."""
        return policy_in_log(self.request.policy_json)

    def without(self, version: Version, erased: Mapping[Version, int]) -> bool:
        """Whether a version had lost its artifact when the step that began last did.

        What was erased later is known to one worker and not yet to another.
        """
        erased_ms = erased.get(version)
        return erased_ms is not None and erased_ms <= self.started_ms

    @property
    def plan(self) -> tuple[PlannedStep, ...]:
        """Its steps."""
        return plan_of(self.policy, has_champion=self.baseline is not None)


@dataclass(frozen=True, slots=True)
class Queued:
    """A deployment that waits, and when it was asked for: append time in ms."""

    request: DeploymentRequested
    appended_ms: int

    def without(self, erased: Mapping[Version, int]) -> bool:
        """Whether its version had lost its artifact when it was asked for.

        One that lost it later is refused by nobody: it fails when it begins, for every worker.
        """
        return erased.get(self.request.version, self.appended_ms + 1) <= self.appended_ms


@dataclass(frozen=True, slots=True)
class Held:
    """A version that had all traffic, the deployment that gave it, and the alias that it moved."""

    version: Version
    deployment_id: EventId
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """The time after a deployment in which an alert takes it back: append times in ms."""

    deployment_id: EventId
    version: Version
    since_ms: int
    until_ms: int
    rollback_on: Severity
    alert: AlertRaised | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The traffic of one environment.

    Attributes:
        held: who has all traffic, last, and to whom it can go back, newest last.
        had: every version that ever had all traffic.
        watch: of the newest deployment; None when it is over.
        routing: the newest that follows from the log.
    """

    held: tuple[Held, ...] = ()
    had: frozenset[Version] = frozenset()
    watch: Watch | None = None
    routing: RoutingSet | None = None

    @property
    def champion(self) -> Version | None:
        """Who has all traffic, or all that a candidate does not have."""
        return self.held[-1].version if self.held else None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model.

    Attributes:
        registered: its versions.
        erased: those whose artifact is gone, and the append time of that, ms.
        aliased: deployments whose alias was asked for, as keys; so are `ended` and `seen`.
        profiles: evidence about the newest reference profile of each version.
        assessments: the newest assessment of each version.
        queue: deployments that wait, the oldest first.
        running: the one that runs.
        cancels: requests without an answer, the oldest first.
        rollbacks: the same.
        environments: by name.
        ended: deployments that are over, and refused ones.
        seen: every fact of the deployments topic so far.
        awaiting: a decision that was published and has not come back from the log.
        alias: what the newest success or rollback asks of the registry.
    """

    registered: PersistentMap[Version, ModelRegistered] = field(default_factory=PersistentMap)
    erased: PersistentMap[Version, int] = field(default_factory=PersistentMap)
    aliased: PersistentMap[EventId, None] = field(default_factory=PersistentMap)
    profiles: PersistentMap[Version, Mapping[str, object]] = field(default_factory=PersistentMap)
    assessments: PersistentMap[Version, EthicsAssessed] = field(default_factory=PersistentMap)
    queue: tuple[Queued, ...] = ()
    running: Running | None = None
    cancels: tuple[DeploymentCancelRequested, ...] = ()
    rollbacks: tuple[RollbackRequested, ...] = ()
    environments: Mapping[str, Environment] = field(default_factory=dict)
    ended: PersistentMap[EventId, None] = field(default_factory=PersistentMap)
    seen: PersistentMap[EventId, None] = field(default_factory=PersistentMap)
    awaiting: EventId | None = None
    alias: AliasRequested | None = None

    def environment(self, name: str) -> Environment:
        """The traffic of an environment; one that nobody deployed to is empty."""
        return self.environments.get(name, _EMPTY)

    def with_environment(self, name: str, environment: Environment) -> "ModelState":
        """The same with another state of one environment."""
        return replace(self, environments={**self.environments, name: environment})


_EMPTY = Environment()
_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def reaches(severity: Severity, least: Severity) -> bool:
    """Whether an alert is as severe as a policy says; one that is not known is not."""
    if severity not in _SEVERITIES or least not in _SEVERITIES:
        return False
    return _SEVERITIES.index(severity) >= _SEVERITIES.index(least)


def lets_through(completed: StepCompleted, policy: DeploymentPolicy) -> bool:
    """Whether the deployment goes on after a step that ended so."""
    if completed.verdict in (StepVerdict.PASSED, StepVerdict.SKIPPED):
        return True
    return (
        completed.verdict is StepVerdict.INCONCLUSIVE
        and completed.step is DeploymentStep.AB_TEST
        and policy.ab_test is not None
        and policy.ab_test.on_inconclusive is OnInconclusive.GO_ON
    )
