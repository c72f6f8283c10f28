"""Facts that ask workers and nodes for something heavy."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, NodeId, Sha256, Version


@dataclass(frozen=True, slots=True)
class ValidationRequested(Fact):
    """A worker is asked to check the file of a version."""

    record: ClassVar[str] = "modeltrail.work.ValidationRequested"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    artifact_sha256: Sha256
    settings_json: str


@dataclass(frozen=True, slots=True)
class BenchmarkRequested(Fact):
    """A node, or a worker where there is none, is asked to measure a version."""

    record: ClassVar[str] = "modeltrail.work.BenchmarkRequested"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    version: Version
    settings_json: str
    baseline_version: Version | None = None
    node_id: NodeId | None = None
