"""Facts about experiments: runs, their metrics, artifacts, tags and ends."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import ExperimentId, Micros, RunId, Sha256


class RunStatus(StrEnum):
    """How a run ended."""

    UNKNOWN = "UNKNOWN"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True, slots=True)
class RunStarted(Fact):
    """A run of an experiment began."""

    record: ClassVar[str] = "modeltrail.experiments.RunStarted"

    occurred_at: Micros
    run_id: RunId
    experiment_id: ExperimentId
    config_json: str
    parent_run_id: RunId | None = None
    started_by: str = ""
    environment_json: str = ""
    heartbeat_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RunResumed(Fact):
    """A run goes on in another process."""

    record: ClassVar[str] = "modeltrail.experiments.RunResumed"

    occurred_at: Micros
    run_id: RunId
    environment_json: str = ""
    heartbeat_s: float = 0.0
    resumed_by: str = ""


@dataclass(frozen=True, slots=True)
class ParamsLogged(Fact):
    """Parameters of a run became known after its start."""

    record: ClassVar[str] = "modeltrail.experiments.ParamsLogged"

    occurred_at: Micros
    run_id: RunId
    params_json: str


@dataclass(frozen=True, slots=True)
class MetricsLogged(Fact):
    """Metrics of a run at one step, or final ones (null step); names and values are parallel."""

    record: ClassVar[str] = "modeltrail.experiments.MetricsLogged"

    occurred_at: Micros
    run_id: RunId
    step: int | None
    names: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ArtifactLogged(Fact):
    """A file of a run was stored."""

    record: ClassVar[str] = "modeltrail.experiments.ArtifactLogged"

    occurred_at: Micros
    run_id: RunId
    name: str
    artifact_uri: str
    artifact_sha256: Sha256
    artifact_size: int


@dataclass(frozen=True, slots=True)
class RunTagSet(Fact):
    """A tag of a run was set; a null value removes it."""

    record: ClassVar[str] = "modeltrail.experiments.TagSet"

    occurred_at: Micros
    run_id: RunId
    name: str
    value: str | None = None
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class RunHeartbeat(Fact):
    """A run is still alive."""

    record: ClassVar[str] = "modeltrail.experiments.RunHeartbeat"

    occurred_at: Micros
    run_id: RunId


@dataclass(frozen=True, slots=True)
class RunEnded(Fact):
    """A run ended."""

    record: ClassVar[str] = "modeltrail.experiments.RunEnded"

    occurred_at: Micros
    run_id: RunId
    status: RunStatus
    detail: str = ""
