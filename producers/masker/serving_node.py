"""A node of the demo that follows the routing: it masks short videos, each a session of its own."""

import argparse
import json
import signal
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modeltrail.infra.config import Settings, load_settings
from modeltrail.producers.errors import NothingServed
from modeltrail.producers.masker.detector import session_options
from modeltrail.producers.masker.frames import Camera
from modeltrail.producers.masker.light import Conditions
from modeltrail.producers.masker.node import add_conditions, conditions_of
from modeltrail.producers.masker.pipeline import FPS, mask_frame, next_frame, scene_at
from modeltrail.producers.serving.node import ServingNode
from modeltrail.producers.serving.session import ServedSession

_SCALES = (0.7, 0.85, 1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a node does.

    Attributes:
        model_id: which model masks.
        conditions: for how long, at what light, on which input size where the model leaves it free.
        threshold: score above which a face is masked.
        clip_frames: frames of each video session.
        at_once: video sessions that run side by side.
        fps: frames a second of each camera.
        benchmarks: whether the node answers benchmarks as well.
    """

    model_id: str
    conditions: Conditions
    threshold: float = 0.5
    clip_frames: int = 30
    at_once: int = 1
    fps: float = FPS
    benchmarks: bool = False


class Masker:
    """Cameras of one node, one after another clip each; counts frames by version."""

    def __init__(self, node: ServingNode, plan: Plan, stop: threading.Event) -> None:
        self.clips = 0
        self.blanked = 0
        self.frames: Counter[str] = Counter()
        self._node = node
        self._plan = plan
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._stop = stop

    def run(self) -> None:
        """Mask clips until the planned time is over or `stop` is set.

        The frames that are on their way then are finished.
        """
        cameras = [
            threading.Thread(target=self._run_camera, args=(number,), daemon=True)
            for number in range(self._plan.at_once)
        ]
        for camera in cameras:
            camera.start()
        self._stop.wait(self._plan.conditions.seconds)
        for camera in cameras:
            camera.join()

    def _run_camera(self, number: int) -> None:
        seed = sum(self._node.node_id.encode()) + number
        camera = Camera(seed)
        chance = np.random.default_rng(seed)
        while self._goes_on():
            # Videos differ: how near the face is, and how bright the place.
            scale, light = float(chance.choice(_SCALES)), float(chance.uniform(0.9, 1.0))
            with self._node.session(self._plan.model_id) as session:
                self._mask_clip(session, camera, scale, light)
            with self._lock:
                self.clips += 1

    def _mask_clip(
        self, session: ServedSession, camera: Camera, scale: float, light: float
    ) -> None:
        conditions = self._plan.conditions
        began = time.monotonic()
        number = 0
        # Frames are counted by the camera's number: a slow model's clips are no longer in time.
        while number < self._plan.clip_frames and self._goes_on():
            now = self._elapsed()
            image, truth = camera.take(scene_at(now, light * conditions.light_at(now), scale))
            try:
                with session.frame(image, number=number) as frame:
                    size = fixed_size(session.get_inputs()) or conditions.size_at(now)
                    mask_frame(frame, image, truth, size, self._plan.threshold)
            except NothingServed:
                self._count(None)
            else:
                self._count(session.arm.version)
            number = next_frame(began, number, self._plan.fps)

    def _count(self, version: str | None) -> None:
        with self._lock:
            if version is None:
                self.blanked += 1
            else:
                self.frames[version] += 1

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._elapsed() < self._plan.conditions.seconds

    def _elapsed(self) -> float:
        return time.monotonic() - self._started


def fixed_size(inputs: Any) -> tuple[int, int] | None:
    """Width and height of a model's only input, N x 3 x height x width; None: it takes any."""
    height, width = inputs[0].shape[2:]
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def run_node(
    settings: Settings, node_id: str, environment: str, plan: Plan, stop: threading.Event
) -> dict[str, Any]:
    """Follow the routing and mask clips for the planned time; without a version nothing is shown.

    Args:
        settings: where the servers are.
        node_id: this node.
        environment: whose routing it follows.
        plan: what it masks, and for how long.
        stop: ends the run before the planned time is over.

    Returns:
        Clips, frames by version, frames blanked for want of a version, and what became of the
        measurements.
    """
    with ServingNode(
        settings,
        node_id=node_id,
        environment=environment,
        session_options=session_options,
        benchmarks=plan.benchmarks,
    ) as node:
        masker = Masker(node, plan, stop)
        masker.run()
    return {
        "node_id": node_id,
        "clips": masker.clips,
        "frames": dict(sorted(masker.frames.items())),
        "blanked": masker.blanked,
        **asdict(node.counts()),
    }


def main() -> None:
    """Run a node as a process; the last line of its output says what it did, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node-id", required=True)
    parser.add_argument("--environment", default="production")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--clip-frames", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=1, metavar="CAMERAS")
    parser.add_argument("--fps", type=float, default=FPS)
    parser.add_argument("--benchmarks", action="store_true", help="answer benchmarks as well")
    parser.add_argument("--config", type=Path)
    add_conditions(parser)
    wanted = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    plan = Plan(
        wanted.model,
        conditions_of(wanted),
        wanted.threshold,
        wanted.clip_frames,
        wanted.at_once,
        wanted.fps,
        wanted.benchmarks,
    )
    settings = load_settings(wanted.config)
    print(json.dumps(run_node(settings, wanted.node_id, wanted.environment, plan, stop)))


if __name__ == "__main__":
    main()
