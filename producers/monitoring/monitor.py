"""Measures inferences of one model on one node, at the cost of a queue append per frame."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, isfinite
from types import TracebackType
from typing import Any, Self, SupportsFloat, SupportsIndex

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.producers.errors import UndeclaredMetric
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.monitoring.carrier import Carrier
from modeltrail.producers.monitoring.counts import NOTHING_YET
from modeltrail.producers.monitoring.courier import Courier
from modeltrail.producers.monitoring.lane import Lane
from modeltrail.producers.monitoring.measures import (
    Extra,
    MeasuredModel,
    Origin,
    checked,
    declared_names,
)
from modeltrail.producers.monitoring.sampling import is_sampled, session_seed
from modeltrail.producers.monitoring.stats import MonitorStats
from modeltrail.producers.per_process import Once, PerProcess, at_exit
from modeltrail.producers.values import LARGEST_LONG, finite, natural, whole
from modeltrail.schemas.codec import SchemaIds
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import LONGEST_ID, Micros, NodeId, SessionId, check_id

_NODE_IN_SESSION = 500


class InferenceMonitor:
    """Sends one `InferenceMeasured` per tracked frame; may lose some, never silently.

    `track` neither blocks nor waits for anything; it raises only for what is a mistake in the
    calling program. While Kafka or the schema registry is away the queue fills, then its oldest
    measurements are dropped; the loss is counted and sent as `MeasurementsDropped` once possible.
    A forked child measures into a session, queue and thread of its own. At exit the queue is sent
    within `monitoring.flush_timeout_s`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        model: MeasuredModel,
        node_id: str,
        session_id: str | None = None,
        arm: str = "champion",
        execution_provider: str = "",
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        """Prepare; the thread starts with the first frame.

        Args:
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            model: the version that runs, as `ModelRegistry.get_model` gives it.
            node_id: this node.
            session_id: one video session, unique for ever; None makes one per process.
            arm: "champion", "candidate", …
            execution_provider: the ONNX Runtime provider that runs it.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            clock: None is the machine's.
            carrier: queue and thread shared with other monitors of the same settings, for many
                short sessions; it outlives this monitor, and a forked child measures nothing.

        Raises:
            InvalidFact: an id or the environment may not become part of a fact, or the sampling
                rate is not a share.
            ConfigError: no Kafka or schema registry is configured.
        """
        self._settings = settings or load_settings()
        self._model = model
        self._node_id = NodeId(check_id("node_id", node_id))
        self._session_id = None if session_id is None else check_id("session_id", session_id)
        self._arm = check_id("arm", arm)
        self._provider = execution_provider
        self._declared = declared_names(model)
        self._rate = self._settings.monitoring.sampling_rate
        if not 0 <= self._rate <= 1:
            raise InvalidFact(f"monitoring.sampling_rate is {self._rate}: give a share, 0 to 1")
        if len(self._settings.monitoring.environment) > LONGEST_ID:
            raise InvalidFact(
                f"monitoring.environment has more than {LONGEST_ID} characters: give a shorter name"
            )
        self._collecting = self._settings.monitoring.metrics_collection
        self._closed = False
        self._late = 0
        self._sampled_out = 0
        clock = clock or SystemClock()
        self._monotonic = clock.monotonic
        self._owned = carrier is None
        self._carrier = carrier or Carrier(self._settings, log, schema_ids, clock)
        self._capture = self._carrier.capture
        self._active = PerProcess(self._start) if self._owned else Once(self._start)
        self._last: _Active | None = None

    def track(
        self,
        frame: int,
        *,
        captured_at_us: int | None = None,
        detect_ms: SupportsFloat | None = None,
        mark_ms: SupportsFloat | None = None,
        align_ms: SupportsFloat | None = None,
        mask_ms: SupportsFloat | None = None,
        merge_ms: SupportsFloat | None = None,
        output_ms: SupportsFloat | None = None,
        latency_ms: SupportsFloat | None = None,
        fps: SupportsFloat | None = None,
        dropped_frames: SupportsIndex | None = None,
        faces: SupportsIndex | None = None,
        detection_score: SupportsFloat | None = None,
        faces_unmasked: SupportsIndex | None = None,
        mask_coverage: SupportsFloat | None = None,
        luma_mean: SupportsFloat | None = None,
        luma_std: SupportsFloat | None = None,
        laplacian_var: SupportsFloat | None = None,
        face_size: SupportsFloat | None = None,
        extra: Mapping[str, SupportsFloat] | None = None,
    ) -> None:
        """Measure one frame; numpy scalars will do, None leaves a measure out.

        Args:
            frame: number within the session, 0 or more.
            captured_at_us: UTC, microseconds since 1970; None is now. More than 10 s in the
                future ends as a dead letter; late is kept.
            detect_ms: latency of detection, ms.
            mark_ms: latency of landmarks, ms.
            align_ms: latency of alignment, ms.
            mask_ms: latency of masking, ms.
            merge_ms: latency of merging, ms.
            output_ms: latency of output, ms.
            latency_ms: latency end to end, ms.
            fps: frames a second over the last second.
            dropped_frames: frames dropped since the previous measurement.
            faces: faces detected.
            detection_score: highest detection score, 0 to 1.
            faces_unmasked: faces left unmasked.
            mask_coverage: share of the frame that is masked, 0 to 1.
            luma_mean: mean luma, 0 to 255.
            luma_std: standard deviation of luma.
            laplacian_var: variance of the Laplacian: sharpness.
            face_size: side of the largest face, share of the frame height.
            extra: further metrics, declared on the model, by name.

        Raises:
            InvalidFact: NaN, infinity or what is no number, a negative frame.
            UndeclaredMetric: `extra` names a metric that the model does not declare.
        """
        if not self._collecting:
            self._late += self._closed
            return
        if frame.__class__ is not int or not 0 <= frame <= LARGEST_LONG:
            frame = natural("frame", frame)
        if captured_at_us is not None and captured_at_us.__class__ is not int:
            captured_at_us = whole("captured_at_us", captured_at_us)
        # Unchecked so far: whatever passes the checks below is a number.
        values: Any = (
            detect_ms,
            mark_ms,
            align_ms,
            mask_ms,
            merge_ms,
            output_ms,
            latency_ms,
            fps,
            dropped_frames,
            faces,
            detection_score,
            faces_unmasked,
            mask_coverage,
            luma_mean,
            luma_std,
            laplacian_var,
            face_size,
        )
        counts: list[type] = [faces.__class__, dropped_frames.__class__, faces_unmasked.__class__]
        if float in counts or not _all_finite(filter(None, values)):
            values = checked(values)
        active = self._active.made or self._active.get()
        if self._rate < 1 and not is_sampled(active.seed, frame, self._rate):
            self._sampled_out += 1
            return
        active.courier.offer(
            active.lane,
            (
                frame,
                captured_at_us,
                self._monotonic(),
                values,
                self._checked_extra(extra) if extra else (),
            ),
        )

    def now_us(self) -> Micros:
        """The time that a frame captured now is filed under, UTC, microseconds since 1970."""
        return self._capture.now_us()

    @property
    def session_id(self) -> SessionId:
        """This process's session."""
        return self._active.get().session_id

    def stats(self) -> MonitorStats:
        """What became of the measurements of this process so far."""
        active = self._active.made or self._last
        counts = active.lane.counts() if active else NOTHING_YET
        return MonitorStats(
            sent=counts.sent,
            dropped=counts.dropped + self._late,
            refused=counts.refused,
            undeliverable=counts.undeliverable,
            queued=counts.unsettled,
            sampled_out=self._sampled_out,
            clock_jumps=self._capture.jumps,
        )

    def close(self) -> None:
        """Send what is queued within `monitoring.flush_timeout_s`; later frames are dropped.

        A shared carrier sends on in the background instead.
        """
        self._closed = self._closed or self._collecting
        self._collecting = False
        active = self._active.take()
        if active is not None:
            self._last = active
            active.lane.left = True
        if self._owned:
            self._carrier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _checked_extra(self, extra: Mapping[str, SupportsFloat]) -> Extra:
        if not self._declared.issuperset(extra):
            undeclared = next(name for name in extra if name not in self._declared)
            raise UndeclaredMetric(
                f"{undeclared!r:.80} is no metric of {self._model.model_id} "
                f"{self._model.version}: declare it with register_model(declared_metrics=…)"
            )
        unchecked: Mapping[str, Any] = extra
        if _all_finite(unchecked.values()):
            return tuple(unchecked.items())
        return tuple((name, finite(name, value)) for name, value in unchecked.items())

    def _start(self) -> "_Active":
        session_id = SessionId(
            self._session_id or f"{self._node_id[:_NODE_IN_SESSION]}-{secrets.token_hex(6)}"
        )
        origin = Origin(
            node_id=self._node_id,
            session_id=session_id,
            model=self._model,
            execution_provider=self._provider,
            environment=self._settings.monitoring.environment,
            arm=self._arm,
            sampling_rate=self._rate,
        )
        if self._owned:
            at_exit(self.close)
        courier = self._carrier.courier()
        return _Active(courier, courier.lane(origin), session_id, session_seed(session_id))


def _all_finite(values: Iterable[float]) -> bool:
    # One pass in C: where the sum is finite, so is each; all else is looked at one by one.
    try:
        return isfinite(fsum(values))
    except (TypeError, ValueError, OverflowError):
        return False


@dataclass(frozen=True, slots=True)
class _Active:
    courier: Courier
    lane: Lane
    session_id: SessionId
    seed: int
