"""Answers which topics there are, what each carries, who writes it and how long it is kept."""

from dataclasses import dataclass

from modeltrail.schemas import events
from modeltrail.schemas.events import Fact


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `name` without prefix, its key, its owner (the room that writes truth to it)."""

    name: str
    key: str
    owner: str
    facts: tuple[type[Fact], ...]
    keep_for_ever: bool = True

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
    ),
)
EXPERIMENTS = Topic(
    "experiments",
    "run_id",
    "producers",
    (
        events.RunStarted,
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
    (events.InferenceMeasured, events.GroundTruthObserved),
    keep_for_ever=False,
)
NODES = Topic("nodes", "node_id", "producers", (events.MeasurementsDropped,))
DEAD_LETTERS = Topic("dead-letters", "origin", "sinks", (events.DeadLetter,))

TOPICS: tuple[Topic, ...] = (REGISTRY, EXPERIMENTS, INFERENCE, NODES, DEAD_LETTERS)


def key_of(*parts: str) -> bytes:
    """The record key made of `parts`, joined by the unit separator that no id may hold."""
    return "\x1f".join(parts).encode()
