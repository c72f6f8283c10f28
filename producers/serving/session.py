"""Runs the frames of one video session on the arm that the routing gives it."""

import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from modeltrail.producers.errors import NothingServed
from modeltrail.producers.monitoring.frame import Frame, Run
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.monitoring.video import Measuring, Video
from modeltrail.producers.serving.slot import RoutedModel, Serving, Slot
from modeltrail.schemas.events import RoutedArm
from modeltrail.schemas.ids import NodeId, SessionId, check_id
from modeltrail.schemas.routing import arm_of

if TYPE_CHECKING:
    import numpy.typing as npt

_NODE_IN_SESSION = 500


class MonitorOf(Protocol):
    """Makes the monitor of a session in an arm."""

    def __call__(
        self, model: RoutedModel, session_id: SessionId, arm: str, execution_provider: str
    ) -> InferenceMonitor:
        """A monitor on the node's carrier."""
        ...


class ServedSession:
    """One video session: each frame runs on, and is measured under, the arm of its beginning.

    Which arm that is follows from the routing's salt and the session's id alone. A new routing
    counts from the next frame on; a frame that has begun ends on the model that it began with. One
    thread uses it.
    """

    def __init__(
        self,
        slot: Slot,
        node_id: NodeId,
        session_id: str | None,
        monitor_of: MonitorOf,
        *,
        bgr: bool,
    ) -> None:
        """Prepare; `ServingNode.session` makes them.

        Raises:
            InvalidFact: the id may not become part of a fact.
        """
        made = session_id or f"{node_id[:_NODE_IN_SESSION]}-{secrets.token_hex(6)}"
        self.session_id = SessionId(check_id("session_id", made))
        self._slot = slot
        self._monitor_of = monitor_of
        self._video = Video(bgr=bgr)
        self._monitors: dict[tuple[RoutedModel, str, str], InferenceMonitor] = {}
        self._serving: Serving | None = None
        self._chosen: tuple[RoutedArm, Any, Measuring] | None = None

    def frame(
        self,
        image: "npt.NDArray[Any] | None" = None,
        *,
        number: int | None = None,
        captured_at_us: int | None = None,
    ) -> Frame:
        """Start one frame; arguments are those of `InstrumentedSession.frame`.

        Raises:
            NothingServed: the node has no model for this session now.
            InvalidFact: no image of that shape, or a negative number.
        """
        # One read and one comparison: the arm is worked out once a routing.
        if self._slot.serving is not self._serving:
            self._choose()
        return self._current()[2].frame(image, number, captured_at_us)

    def run(
        self,
        output_names: Sequence[str] | None,
        feeds: Mapping[str, Any],
        run_options: Any = None,
    ) -> Any:
        """One frame that is nothing but a run; as of `InferenceSession.run`."""
        with self.frame() as frame:
            return frame.run(output_names, feeds, run_options)

    @property
    def arm(self) -> RoutedArm:
        """The arm of the frame that began last, or else of the next.

        Raises:
            NothingServed: the node has no model for this session now.
        """
        return self._current()[0]

    def get_inputs(self) -> Any:
        """As of `InferenceSession.get_inputs`, of the model of the frame that began last.

        Raises:
            NothingServed: the node has no model for this session now.
        """
        return self._current()[1].get_inputs()

    def get_outputs(self) -> Any:
        """As of `InferenceSession.get_outputs`, of the model of the frame that began last.

        Raises:
            NothingServed: the node has no model for this session now.
        """
        return self._current()[1].get_outputs()

    def close(self) -> None:
        """End the session; its measurements are sent on in the background."""
        for monitor in self._monitors.values():
            monitor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _current(self) -> tuple[RoutedArm, Any, Measuring]:
        if self._chosen is None:
            self._choose()
        if self._chosen is None:
            raise NothingServed(
                f"no version of {self._slot.model_id} is served to session {self.session_id}: "
                "hide the whole frame, and see `modeltrail deployments list`"
            )
        return self._chosen

    def _choose(self) -> None:
        serving = self._slot.serving
        arm = None if serving is None else arm_of(serving.routing, self.session_id)
        if serving is None or arm is None:
            self._chosen = None
        else:
            about, model = serving.model_of(arm)
            # The monitor of an arm is kept: a frame may still be on its way there.
            key = (about, arm.arm, model.execution_provider)
            if key not in self._monitors:
                self._monitors[key] = self._monitor_of(about, self.session_id, *key[1:])
            run = _Noting(self._slot, model.onnx.run)
            measuring = Measuring(self._video, about, self._monitors[key], run)
            self._chosen = (arm, model.onnx, measuring)
        self._serving = serving


class _Noting:
    """Runs a model, and notes at the first run which shapes it is fed with."""

    __slots__ = ("_noted", "_run", "_slot")

    def __init__(self, slot: Slot, run: Run) -> None:
        self._slot = slot
        self._run = run
        self._noted = False

    def __call__(
        self, output_names: Sequence[str] | None, feeds: Mapping[str, Any], run_options: Any
    ) -> Any:
        outputs = self._run(output_names, feeds, run_options)
        if not self._noted:
            self._noted = True
            shapes = {name: _shape_of(each) for name, each in feeds.items()}
            self._slot.fed = {name: shape for name, shape in shapes.items() if shape is not None}
        return outputs


def _shape_of(value: Any) -> tuple[int, ...] | None:
    try:
        # An array has it as an attribute, an `onnxruntime.OrtValue` as a method.
        shape = value.shape
        return tuple(shape() if callable(shape) else shape)
    except Exception:
        # It is only for a warm-up: whatever ONNX Runtime has run on may not fail here.
        return None
