"""Facts about sessions that a trial compares."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, NodeId, SessionId, Version


@dataclass(frozen=True, slots=True)
class SessionValue:
    """The mean of each metric over the first frames of a session in an arm."""

    session_id: SessionId
    node_id: NodeId
    arm: str
    version: Version
    frames: int
    last_captured_at: Micros
    means: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class SessionsMeasured(Fact):
    """Sessions of a trial that measured enough frames, from one partition of the measurements."""

    record: ClassVar[str] = "modeltrail.trials.SessionsMeasured"

    occurred_at: Micros
    deployment_id: EventId
    model_id: ModelId
    step_number: int
    inference_partition: int
    through_offset: int
    metrics: tuple[str, ...]
    champion_started: int
    candidate_started: int
    sessions: tuple[SessionValue, ...]
