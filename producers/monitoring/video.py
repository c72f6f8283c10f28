"""Answers what one video session knows from frame to frame: its numbers, its drops, its rate."""

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modeltrail.producers.monitoring.features import frame_features
from modeltrail.producers.monitoring.frame import Frame, Run
from modeltrail.producers.monitoring.measures import MeasuredModel, declared_names
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.values import natural

if TYPE_CHECKING:
    import numpy.typing as npt

_FPS_WINDOW_S = 1.0


class Video:
    """The frames of one video session, whichever version runs them."""

    def __init__(self, *, bgr: bool) -> None:
        self._bgr = bgr
        self._last_number: int | None = None
        self._ends: deque[float] = deque()

    def next_frame(
        self, image: "npt.NDArray[Any] | None", number: int | None
    ) -> tuple[int, dict[str, float]]:
        """The number of the frame that begins, and what can be measured of it already.

        Raises:
            InvalidFact: no image of that shape, or a negative number.
        """
        previous = -1 if self._last_number is None else self._last_number
        current = previous + 1 if number is None else natural("number", number)
        measures: dict[str, float] = {}
        if self._last_number is not None:
            measures["dropped_frames"] = max(0, current - previous - 1)
        if image is not None:
            features = frame_features(image, bgr=self._bgr)
            measures["luma_mean"] = features.luma_mean
            measures["luma_std"] = features.luma_std
            measures["laplacian_var"] = features.laplacian_var
        self._last_number = current
        return current, measures

    def fps_at(self, ended: float) -> float | None:
        """Frames a second over the last one, when another frame ended; None: it is the first."""
        self._ends.append(ended)
        while ended - self._ends[0] > _FPS_WINDOW_S:
            self._ends.popleft()
        if len(self._ends) < 2:
            return None
        return (len(self._ends) - 1) / max(ended - self._ends[0], 1e-9)


class Measuring:
    """A version that runs frames of a video, and the monitor that hears of each."""

    def __init__(
        self, video: Video, model: MeasuredModel, monitor: InferenceMonitor, run: Run
    ) -> None:
        self.monitor = monitor
        self._video = video
        self._declared = declared_names(model)
        self._run = run

    def frame(
        self,
        image: "npt.NDArray[Any] | None",
        number: int | None,
        captured_at_us: int | None,
    ) -> Frame:
        """Start one frame; leaving its `with` block sends its measurement.

        Raises:
            InvalidFact: no image of that shape, or a negative number.
        """
        if captured_at_us is None:
            captured_at_us = self.monitor.now_us()
        current, measures = self._video.next_frame(image, number)
        return Frame(current, captured_at_us, measures, self._declared, self._run, self._done)

    def _done(self, frame: Frame, ended: float) -> None:
        if (fps := self._video.fps_at(ended)) is not None:
            frame.measures.setdefault("fps", fps)
        measures: Mapping[str, Any] = frame.measures
        self.monitor.track(
            frame.number, captured_at_us=frame.captured_at_us, extra=frame.extra, **measures
        )
