"""Answers what a node may measure of a frame, and turns it into the fact on the wire."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import fastavro

from modeltrail.producers.monitoring.capture_clock import CaptureClock
from modeltrail.producers.values import finite, whole
from modeltrail.schemas.codec import reader_schema
from modeltrail.schemas.events import InferenceMeasured
from modeltrail.schemas.ids import (
    EVENT_ID_BYTES,
    MetricName,
    ModelId,
    NodeId,
    SessionId,
    Sha256,
    Version,
)
from modeltrail.schemas.measures import COUNTS, MEASURES

STAGES = ("detect", "mark", "align", "mask", "merge", "output")

Values = tuple[float | None, ...]
Extra = tuple[tuple[str, float], ...]
# Frame, captured_at in us or None, the monotonic clock's reading in s, `MEASURES`, extra ones.
Measurement = tuple[int, int | None, float, Values, Extra]


class MeasuredModel(Protocol):
    """What a measurement says of the version that ran: a registered or a routed one has it."""

    @property
    def model_id(self) -> ModelId:
        """Which model."""
        ...

    @property
    def version(self) -> Version:
        """Which version."""
        ...

    @property
    def artifact_sha256(self) -> Sha256:
        """SHA-256 of the file that ran."""
        ...

    @property
    def declared_metrics(self) -> tuple[str, ...]:
        """Extra metric names that may be measured."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What is the same in every measurement of one session."""

    node_id: NodeId
    session_id: SessionId
    model: MeasuredModel
    execution_provider: str
    environment: str
    arm: str
    sampling_rate: float


def checked(values: Values) -> Values:
    """The values of `MEASURES` as plain Python numbers.

    Raises:
        InvalidFact: NaN, infinite, no number, or a count that is not whole.
    """
    return tuple(
        value if value is None else whole(name, value) if name in COUNTS else finite(name, value)
        for name, value in zip(MEASURES, values, strict=True)
    )


class MeasurementEncoder:
    """Makes bare `InferenceMeasured` datums of one session."""

    def __init__(self, origin: Origin) -> None:
        self._schema = reader_schema(InferenceMeasured.record)
        self._fixed: dict[str, Any] = {
            "node_id": origin.node_id,
            "session_id": origin.session_id,
            "model_id": origin.model.model_id,
            "version": origin.model.version,
            "artifact_sha256": origin.model.artifact_sha256,
            "execution_provider": origin.execution_provider,
            "environment": origin.environment,
            "arm": origin.arm,
            "sampling_rate": origin.sampling_rate,
        }

    def encode(self, measurement: Measurement, capture: CaptureClock) -> bytes:
        """The bare datum; `capture` dates it if nobody has.

        Raises:
            ValueError, TypeError, OverflowError: a value does not fit the schema.
        """
        frame, captured_at, monotonic, values, extra = measurement
        record = self._fixed | _plain(values)
        record["event_id"] = os.urandom(EVENT_ID_BYTES)
        record["captured_at"] = capture.at(monotonic) if captured_at is None else captured_at
        record["frame"] = frame
        record["extra_names"] = [name for name, _ in extra]
        record["extra_values"] = [float(value) for _, value in extra]
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema, record)
        return out.getvalue()


def declared_names(model: MeasuredModel) -> frozenset[str]:
    """The extra metrics that a measurement of `model` may carry."""
    return frozenset(MetricName(name) for name in model.declared_metrics)


def _plain(values: Sequence[float | None]) -> dict[str, float | int]:
    # numpy scalars get through the caller's quick check; Avro wants Python's own numbers.
    return {
        name: whole(name, value) if name in COUNTS else float(value)
        for name, value in zip(MEASURES, values, strict=True)
        if value is not None
    }
