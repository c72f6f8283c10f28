"""Facts about which version serves which share of sessions."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version


@dataclass(frozen=True, slots=True)
class RoutedArm:
    """A version and the share of sessions that it serves."""

    arm: str
    version: Version
    artifact_sha256: Sha256
    artifact_uri: str
    artifact_size: int
    declared_metrics: tuple[str, ...]
    share: int


@dataclass(frozen=True, slots=True)
class RoutingSet(Fact):
    """The whole desired state of one model in one environment: a node needs nothing else."""

    record: ClassVar[str] = "modeltrail.routing.RoutingSet"

    occurred_at: Micros
    environment: str
    model_id: ModelId
    revision: int
    salt: str
    arms: tuple[RoutedArm, ...]
    deployment_id: EventId | None = None
