"""Facts about the nodes themselves."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId, Sha256, Version


@dataclass(frozen=True, slots=True)
class MeasurementsDropped(Fact):
    """Measurements that a node could not keep since its previous report."""

    record: ClassVar[str] = "modeltrail.nodes.MeasurementsDropped"

    occurred_at: Micros
    node_id: NodeId
    session_id: SessionId
    model_id: ModelId
    dropped: int
    undeliverable: int
    sent: int


@dataclass(frozen=True, slots=True)
class NodeStarted(Fact):
    """A node began to follow the routing of its environment."""

    record: ClassVar[str] = "modeltrail.nodes.NodeStarted"

    occurred_at: Micros
    node_id: NodeId
    environment: str
    host: str
    providers: tuple[str, ...]


class LoadOutcome(StrEnum):
    """What became of a model that a node was told to run."""

    UNKNOWN = "UNKNOWN"
    LOADED = "LOADED"
    FETCH_FAILED = "FETCH_FAILED"
    HASH_MISMATCH = "HASH_MISMATCH"
    LOAD_FAILED = "LOAD_FAILED"


@dataclass(frozen=True, slots=True)
class NodeLoadedModel(Fact):
    """A node loaded, verified and warmed up a model, or could not."""

    record: ClassVar[str] = "modeltrail.nodes.NodeLoadedModel"

    occurred_at: Micros
    node_id: NodeId
    environment: str
    model_id: ModelId
    version: Version
    artifact_sha256: Sha256
    revision: int
    outcome: LoadOutcome
    load_ms: float
    detail: str = ""
    execution_provider: str = ""


@dataclass(frozen=True, slots=True)
class ServedArm:
    """An arm as a node serves it."""

    model_id: ModelId
    revision: int
    arm: str
    version: Version
    artifact_sha256: Sha256


@dataclass(frozen=True, slots=True)
class NodeReported(Fact):
    """What a node serves: at each change, and again every heartbeat.

    Since version 2 with the models that it follows, where these are not all, and with those of its
    failures that may pass by themselves.
    """

    record: ClassVar[str] = "modeltrail.nodes.NodeReported"

    occurred_at: Micros
    node_id: NodeId
    environment: str
    heartbeat_s: float
    serves: tuple[ServedArm, ...]
    failing: tuple[str, ...] = ()
    follows: tuple[ModelId, ...] = ()
    transient: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeStopped(Fact):
    """A node ended in good order."""

    record: ClassVar[str] = "modeltrail.nodes.NodeStopped"

    occurred_at: Micros
    node_id: NodeId
    environment: str
