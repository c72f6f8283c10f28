"""Facts about the nodes themselves."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId


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
