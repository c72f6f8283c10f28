"""Facts about deployments: what was asked for, each step with its evidence, and how it ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version


@dataclass(frozen=True, slots=True)
class DeploymentRequested(Fact):
    """Somebody asks that a version go through its gates and into an environment."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentRequested"

    occurred_at: Micros
    model_id: ModelId
    version: Version
    environment: str
    policy_json: str
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentCancelRequested(Fact):
    """Somebody asks that a deployment stop where it is."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentCancelRequested"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    requested_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackRequested(Fact):
    """Somebody asks for an earlier version in an environment, at once."""

    record: ClassVar[str] = "modeltrail.deployments.RollbackRequested"

    occurred_at: Micros
    model_id: ModelId
    environment: str
    version: Version | None = None
    requested_by: str = ""
    reason: str = ""


class DeploymentRefusal(StrEnum):
    """Why a request about deployments is refused."""

    UNKNOWN = "UNKNOWN"
    UNKNOWN_MODEL = "UNKNOWN_MODEL"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    UNKNOWN_DEPLOYMENT = "UNKNOWN_DEPLOYMENT"
    ALREADY_ENDED = "ALREADY_ENDED"
    NOTHING_TO_ROLL_BACK_TO = "NOTHING_TO_ROLL_BACK_TO"
    INVALID_POLICY = "INVALID_POLICY"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class DeploymentRequestRefused(Fact):
    """A request about deployments was refused."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentRequestRefused"

    occurred_at: Micros
    request_id: EventId
    model_id: ModelId
    reason: DeploymentRefusal
    detail: str


class DeploymentStep(StrEnum):
    """A step of a deployment."""

    UNKNOWN = "UNKNOWN"
    VALIDATION = "VALIDATION"
    PERFORMANCE = "PERFORMANCE"
    DATA_QUALITY = "DATA_QUALITY"
    ETHICS = "ETHICS"
    STAGING = "STAGING"
    AB_TEST = "AB_TEST"
    PRODUCTION = "PRODUCTION"


@dataclass(frozen=True, slots=True)
class StepStarted(Fact):
    """A step of a deployment began."""

    record: ClassVar[str] = "modeltrail.deployments.StepStarted"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    step: DeploymentStep
    number: int
    share: int
    deadline_at: Micros
    baseline_version: Version | None = None
    trial_metrics: tuple[str, ...] = ()
    frames_per_session: int = 0


class StepVerdict(StrEnum):
    """How a step ended."""

    UNKNOWN = "UNKNOWN"
    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class StepCompleted(Fact):
    """A step of a deployment ended, with all that the verdict rests on."""

    record: ClassVar[str] = "modeltrail.deployments.StepCompleted"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    step: DeploymentStep
    number: int
    verdict: StepVerdict
    reason: str
    evidence_json: str
    started_at: Micros


@dataclass(frozen=True, slots=True)
class DeploymentSucceeded(Fact):
    """A version has all traffic of its environment."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentSucceeded"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    replaced_version: Version | None = None


@dataclass(frozen=True, slots=True)
class DeploymentFailed(Fact):
    """A deployment ended because a gate did not let it through; production is as it was before."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentFailed"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    step: DeploymentStep
    reason: str


@dataclass(frozen=True, slots=True)
class DeploymentCancelled(Fact):
    """A deployment ended because somebody cancelled it; production is as it was before."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentCancelled"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    request_id: EventId
    cancelled_by: str
    reason: str


class RollbackCause(StrEnum):
    """What made an environment go back."""

    UNKNOWN = "UNKNOWN"
    ALERT = "ALERT"
    REQUEST = "REQUEST"
    GATE = "GATE"


@dataclass(frozen=True, slots=True)
class DeploymentRolledBack(Fact):
    """An environment went back to an earlier version."""

    record: ClassVar[str] = "modeltrail.deployments.DeploymentRolledBack"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    environment: str
    cause: RollbackCause
    reason: str
    to_version: Version | None = None
    caused_by: EventId | None = None


@dataclass(frozen=True, slots=True)
class ModelValidated(Fact):
    """A worker checked the file of a version in a limited subprocess."""

    record: ClassVar[str] = "modeltrail.deployments.ModelValidated"

    occurred_at: Micros
    request_id: EventId
    deployment_id: EventId
    model_id: ModelId
    version: Version
    worker: str
    evidence_json: str


@dataclass(frozen=True, slots=True)
class BenchmarkMeasured(Fact):
    """A node or worker measured a version beside the one in production."""

    record: ClassVar[str] = "modeltrail.deployments.BenchmarkMeasured"

    occurred_at: Micros
    request_id: EventId
    deployment_id: EventId
    model_id: ModelId
    version: Version
    evidence_json: str
    node_id: str = ""
