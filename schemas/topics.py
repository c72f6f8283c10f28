"""Answers which topics there are, what each carries, who writes it and how long it is kept."""

from dataclasses import dataclass
from enum import StrEnum

from modeltrail.schemas import events
from modeltrail.schemas.events import Fact


class Retention(StrEnum):
    """How long a topic's records stay: for ever, or as long as a setting of `kafka` says."""

    FOR_EVER = "for_ever"
    INFERENCE = "inference_retention_days"
    WINDOWS = "windows_retention_days"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `name` without prefix, its key, its owner (the room that writes truth to it).

    A fact with a field `partition` has no key and is appended to that partition. Of a compacted
    topic only the newest record of each key stays.
    """

    name: str
    key: str
    owner: str
    facts: tuple[type[Fact], ...]
    retention: Retention = Retention.FOR_EVER
    compacted: bool = False

    def full_name(self, prefix: str) -> str:
        """The name in Kafka."""
        return prefix + self.name


REGISTRY = Topic(
    "registry",
    "model_id",
    "processors",
    (
        events.ModelRegistrationRequested,
        events.ModelRegistered,
        events.ModelRegistrationRejected,
        events.AliasAssigned,
        events.AliasRemoved,
        events.ModelTagSet,
        events.ReferenceProfiled,
        events.ModelArchived,
        events.ModelErased,
        events.ModelRestored,
        events.AliasRequested,
        events.TagRequested,
        events.ArchiveRequested,
        events.EraseRequested,
        events.RegistryRequestRefused,
    ),
)
EXPERIMENTS = Topic(
    "experiments",
    "run_id",
    "producers",
    (
        events.RunStarted,
        events.RunResumed,
        events.ParamsLogged,
        events.MetricsLogged,
        events.ArtifactLogged,
        events.RunTagSet,
        events.RunHeartbeat,
        events.RunEnded,
    ),
)
INFERENCE = Topic(
    "inference",
    "model_id + node_id",
    "producers",
    (events.InferenceMeasured, events.GroundTruthObserved, events.TimeMarked),
    retention=Retention.INFERENCE,
)
SAMPLES = Topic(
    "samples",
    "model_id + node_id",
    "processors",
    (events.MeasurementSampled,),
    retention=Retention.INFERENCE,
)
RULES = Topic(
    "rules",
    "model_id",
    "producers",
    (events.ThresholdsSet, events.DriftPolicySet, events.RuleRejected),
)
WINDOWS = Topic(
    "windows",
    "model_id",
    "processors",
    (
        events.PartialWindow,
        events.RecentMeasured,
        events.PartialWindows,
        events.RecentMeasurements,
        events.ValueBreached,
        events.PartitionAdvanced,
        events.WindowClosed,
        events.WindowsDecided,
        events.DriftMeasured,
        events.ChangePointDetected,
    ),
    retention=Retention.WINDOWS,
)
ALERTS = Topic(
    "alerts",
    "model_id",
    "processors",
    (
        events.AlertPending,
        events.AlertRaised,
        events.AlertUpdated,
        events.AlertResolved,
        events.AlertAcknowledged,
        events.AlertSilenced,
    ),
)
DEPLOYMENTS = Topic(
    "deployments",
    "model_id",
    "processors",
    (
        events.DeploymentRequested,
        events.DeploymentCancelRequested,
        events.RollbackRequested,
        events.DeploymentRequestRefused,
        events.StepStarted,
        events.StepCompleted,
        events.DeploymentSucceeded,
        events.DeploymentFailed,
        events.DeploymentCancelled,
        events.DeploymentRolledBack,
        events.ModelValidated,
        events.BenchmarkMeasured,
    ),
)
WORK = Topic(
    "work",
    "model_id",
    "processors",
    (
        events.ValidationRequested,
        events.BenchmarkRequested,
    ),
)
ROUTING = Topic(
    "routing", "environment + model_id", "processors", (events.RoutingSet,), compacted=True
)
TRIALS = Topic(
    "trials",
    "model_id",
    "processors",
    (events.SessionsMeasured,),
    retention=Retention.WINDOWS,
)
NODES = Topic(
    "nodes",
    "node_id",
    "producers",
    (
        events.MeasurementsDropped,
        events.NodeStarted,
        events.NodeLoadedModel,
        events.NodeReported,
        events.NodeStopped,
    ),
    retention=Retention.INFERENCE,
)
ETHICS = Topic(
    "ethics",
    "model_id",
    "processors",
    (
        events.AssessmentRequested,
        events.EthicsAssessed,
        events.AssessmentRefused,
    ),
)
DOCUMENTS = Topic(
    "documents",
    "subject",
    "processors",
    (
        events.DocumentRequested,
        events.DocumentGenerated,
        events.DocumentRefused,
    ),
)
DEAD_LETTERS = Topic("dead-letters", "origin", "sinks", (events.DeadLetter,))

TOPICS: tuple[Topic, ...] = (
    REGISTRY,
    EXPERIMENTS,
    INFERENCE,
    SAMPLES,
    NODES,
    RULES,
    WINDOWS,
    ALERTS,
    DEPLOYMENTS,
    WORK,
    ROUTING,
    TRIALS,
    ETHICS,
    DOCUMENTS,
    DEAD_LETTERS,
)


def key_of(*parts: str) -> bytes:
    """The record key made of `parts`, joined by the unit separator that no id may hold."""
    return "\x1f".join(parts).encode()
