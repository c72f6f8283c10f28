"""Facts about single inferences: what they cost and gave, and what was really there."""

from dataclasses import dataclass
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId, Sha256, Version


@dataclass(frozen=True, slots=True)
class InferenceMeasured(Fact):
    """What one inference on one frame cost and gave; latencies in ms, shares from 0 to 1."""

    record: ClassVar[str] = "modeltrail.inference.InferenceMeasured"

    captured_at: Micros
    node_id: NodeId
    session_id: SessionId
    frame: int
    model_id: ModelId
    version: Version
    artifact_sha256: Sha256
    execution_provider: str
    environment: str
    arm: str
    sampling_rate: float
    detect_ms: float | None = None
    mark_ms: float | None = None
    align_ms: float | None = None
    mask_ms: float | None = None
    merge_ms: float | None = None
    output_ms: float | None = None
    latency_ms: float | None = None
    fps: float | None = None
    dropped_frames: int | None = None
    faces: int | None = None
    detection_score: float | None = None
    faces_unmasked: int | None = None
    mask_coverage: float | None = None
    luma_mean: float | None = None
    luma_std: float | None = None
    laplacian_var: float | None = None
    face_size: float | None = None
    extra_names: tuple[str, ...] = ()
    extra_values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class GroundTruthObserved(Fact):
    """What was really there in a measured frame, known later; names and values are parallel."""

    record: ClassVar[str] = "modeltrail.inference.GroundTruthObserved"

    occurred_at: Micros
    node_id: NodeId
    session_id: SessionId
    frame: int
    model_id: ModelId
    names: tuple[str, ...]
    values: tuple[float, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class TimeMarked(Fact):
    """Time has passed in a partition to which nobody appended: its append time is the message."""

    record: ClassVar[str] = "modeltrail.inference.TimeMarked"

    partition: int
