"""An ONNX Runtime session that measures itself: ten lines instrument a node."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from modeltrail.infra.config import Settings, load_settings
from modeltrail.producers.monitoring.frame import Frame
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.monitoring.runtime import open_session, verified_bytes
from modeltrail.producers.monitoring.video import Measuring, Video
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.registry.erased import require_not_erased
from modeltrail.producers.registry.fold import RegisteredModel

if TYPE_CHECKING:
    import numpy.typing as npt


class InstrumentedSession:
    """Runs a registered model and sends one measurement per frame, timed by stage.

    A node, complete (`camera`, `to_feeds` and `mask` are its own)::

        from modeltrail import InstrumentedSession, ModelRegistry

        model = ModelRegistry().get_model("centerface")
        with InstrumentedSession(model, node_id="gate-1") as session:
            for image in camera:
                with session.frame(image) as frame:
                    outputs = frame.run(None, to_feeds(image))
                    with frame.stage("mask"):
                        faces, score = mask(image, outputs)
                    frame.record(faces=faces, detection_score=score)

    Who only wants the latency calls `session.run(…)` as on an `InferenceSession`.
    """

    def __init__(
        self,
        model: RegisteredModel,
        *,
        node_id: str = "",
        settings: Settings | None = None,
        artifact: Path | None = None,
        monitor: InferenceMonitor | None = None,
        session_id: str | None = None,
        arm: str = "champion",
        providers: Sequence[str] | None = None,
        session_options: Any = None,
        bgr: bool = False,
    ) -> None:
        """Load the model, verified against its SHA-256.

        Args:
            model: the version to run, as `ModelRegistry.get_model` gives it.
            node_id: this node; not needed with a `monitor`.
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            artifact: a local copy of the model file; None fetches it from the artifact store.
            monitor: where measurements go; None makes one, closed with the session.
            session_id: one video session, unique for ever; None makes one.
            arm: "champion", "candidate", …
            providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
            session_options: `onnxruntime.SessionOptions`.
            bgr: images come with blue first, as OpenCV gives them.

        Raises:
            ArtifactErased: the version was erased.
            ArtifactNotFound: no model file is there.
            ArtifactCorrupt: the file does not have the registered SHA-256.
            InvalidFact: an id may not become part of a fact.
            ConfigError: no Kafka or schema registry is configured.
        """
        settings = settings or load_settings()
        require_not_erased(model)
        path = artifact or open_artifact_store(settings).fetch(
            model.artifact_sha256, model.artifact_uri
        )
        content = verified_bytes(path, model.artifact_sha256, f"{model.model_id} {model.version}")
        self.onnx = open_session(content, providers, session_options)
        self._owned = monitor is None
        self.monitor = monitor or InferenceMonitor(
            settings,
            model=model,
            node_id=node_id,
            session_id=session_id,
            arm=arm,
            execution_provider=self.onnx.get_providers()[0],
        )
        self._measuring = Measuring(Video(bgr=bgr), model, self.monitor, self.onnx.run)

    def frame(
        self,
        image: "npt.NDArray[Any] | None" = None,
        *,
        number: int | None = None,
        captured_at_us: int | None = None,
    ) -> Frame:
        """Start one frame; leaving its `with` block sends its measurement.

        Args:
            image: the frame, (height, width) or (height, width, 3), 0 to 255, for the drift
                features; None leaves them out. Only three scalars of it are kept.
            number: the camera's frame number; a gap counts as dropped frames. None counts on.
            captured_at_us: UTC, microseconds since 1970; None is now.

        Raises:
            InvalidFact: no image of that shape, or a negative number.
        """
        return self._measuring.frame(image, number, captured_at_us)

    def run(
        self,
        output_names: Sequence[str] | None,
        feeds: Mapping[str, Any],
        run_options: Any = None,
    ) -> Any:
        """One frame that is nothing but a run; as of `InferenceSession.run`."""
        with self.frame() as frame:
            return frame.run(output_names, feeds, run_options)

    def get_inputs(self) -> Any:
        """As of `InferenceSession.get_inputs`."""
        return self.onnx.get_inputs()

    def get_outputs(self) -> Any:
        """As of `InferenceSession.get_outputs`."""
        return self.onnx.get_outputs()

    def close(self) -> None:
        """Close the monitor, if this session made it."""
        if self._owned:
            self.monitor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
