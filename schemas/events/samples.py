"""Facts about measurements that are kept for their ground truth, which comes later."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId, Version


@dataclass(frozen=True, slots=True)
class MeasurementSampled(Fact):
    """A measurement that a GroundTruthObserved of its frame is compared with."""

    record: ClassVar[str] = "modeltrail.samples.MeasurementSampled"

    model_id: ModelId
    node_id: NodeId
    session_id: SessionId
    frame: int
    version: Version
    environment: str
    arm: str
    captured_at: Micros
    names: tuple[str, ...]
    values: tuple[float, ...]
