"""One node of the demo: detects and masks faces on camera frames while the light dims."""

import argparse
import io
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from modeltrail.infra.config import Settings, load_settings
from modeltrail.producers.masker.centerface import (
    INPUT,
    OUTPUTS,
    Face,
    Image8,
    decode,
    overlap,
    prepare,
)
from modeltrail.producers.masker.detector import session_options
from modeltrail.producers.masker.frames import HEIGHT, WIDTH, Camera, Scene
from modeltrail.producers.masker.masking import mask_faces
from modeltrail.producers.monitoring.session import InstrumentedSession
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.fold import RegisteredModel

_FPS = 25
_DARKEST = 0.02
_NOISE = 9.0
_SWAY_S = 7.0
LARGER = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What a node does: for how long, on which input size, above which score.

    Attributes:
        node_id: name of the node.
        seconds: how long it runs.
        size: width and height of the detector's input.
        threshold: score above which a face is masked.
        sample: where one frame is shown before and after masking, if anywhere.
        dims_from: seconds after which the light begins to dim.
        larger: from and until when, in seconds, the input is `LARGER` times as wide and high.
    """

    node_id: str
    seconds: float
    size: tuple[int, int]
    threshold: float
    sample: Path | None = None
    dims_from: float = 0.0
    larger: tuple[float, float] = (0.0, 0.0)

    def size_at(self, elapsed: float) -> tuple[int, int]:
        """Width and height of the input after so many seconds."""
        factor = LARGER if self.larger[0] <= elapsed < self.larger[1] else 1
        return self.size[0] * factor, self.size[1] * factor

    def light_at(self, elapsed: float) -> float:
        """Share of the light that is left after so many seconds."""
        dimming = max(self.seconds - self.dims_from, 1.0)
        dimmed = min(1.0, max(0.0, elapsed - self.dims_from) / dimming)
        return 1.0 - (1.0 - _DARKEST) * dimmed


def run_node(settings: Settings, model: RegisteredModel, plan: Plan) -> dict[str, int]:
    """Mask frames at camera speed for the planned time; frames that come too late are dropped.

    Returns:
        What became of the measurements, see `MonitorStats`.
    """
    camera = Camera(seed=sum(plan.node_id.encode()))
    with InstrumentedSession(
        model, node_id=plan.node_id, settings=settings, session_options=session_options()
    ) as session:
        started = time.monotonic()
        number = 0
        while (elapsed := time.monotonic() - started) < plan.seconds:
            image, truth = camera.take(_scene_at(elapsed, plan.light_at(elapsed)))
            size = plan.size_at(elapsed)
            masked = _mask_one(session, size, plan.threshold, number, image, truth)
            if plan.sample and elapsed > plan.seconds / 8:
                plan.sample.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.hstack([image, masked])).save(plan.sample)
                plan = replace(plan, sample=None)
            number = _next_frame(started, number)
    return asdict(session.monitor.stats())


def usual_frames(count: int) -> Iterator[Image8]:
    """Frames as a node takes them before the light dims, one every 25th of a second."""
    camera = Camera(seed=0)
    for number in range(count):
        yield camera.take(_scene_at(number / _FPS, 1.0))[0]


def _mask_one(
    session: InstrumentedSession,
    size: tuple[int, int],
    threshold: float,
    number: int,
    image: Image8,
    truth: list[Face],
) -> Image8:
    with session.frame(image, number=number) as frame:
        outputs = frame.run(OUTPUTS, {INPUT: prepare(image, size)})
        with frame.stage("mask"):
            faces = decode(outputs, size, (WIDTH, HEIGHT), threshold)
            masked, coverage = mask_faces(image, faces)
        with frame.stage("output"):
            Image.fromarray(masked).save(io.BytesIO(), "JPEG", quality=80)
        missed = sum(all(overlap(face, real) < 0.5 for face in faces) for real in truth)
        frame.record(faces=len(faces), faces_unmasked=missed, mask_coverage=coverage)
        frame.record(detection_score=float(outputs[0].max()))
        if faces:
            frame.record(face_size=(faces[0].bottom - faces[0].top) / HEIGHT)
    return masked


def _scene_at(elapsed: float, light: float) -> Scene:
    sway = 0.5 + 0.5 * math.sin(2 * math.pi * elapsed / _SWAY_S)
    return Scene(shift=(sway, 0.5), light=light, noise=_NOISE)


def _next_frame(started: float, number: int) -> int:
    """Wait for the next frame of the camera; the ones that passed meanwhile are skipped."""
    due = started + (number + 1) / _FPS
    late = time.monotonic() - due
    if late < 0:
        time.sleep(-late)
        return number + 1
    return number + 1 + math.floor(late * _FPS)


def main() -> None:
    """Run a node as a process; the last line of its output is the monitor's statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node-id", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--size", type=int, nargs=2, required=True, metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--dims-from", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--larger", type=float, nargs=2, default=(0.0, 0.0), metavar="SECONDS")
    parser.add_argument("--config", type=Path)
    wanted = parser.parse_args()
    settings = load_settings(wanted.config)
    model = ModelRegistry(settings).get_model(wanted.model, wanted.version)
    if model is None:
        sys.exit(f"{wanted.model} {wanted.version} is not registered: register it first")
    plan = Plan(
        wanted.node_id,
        wanted.seconds,
        (wanted.size[0], wanted.size[1]),
        wanted.threshold,
        wanted.sample,
        wanted.dims_from,
        (wanted.larger[0], wanted.larger[1]),
    )
    print(json.dumps(run_node(settings, model, plan)))


if __name__ == "__main__":
    main()
