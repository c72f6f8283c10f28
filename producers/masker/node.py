"""One node of the demo: detects and masks faces on camera frames while the light dims."""

import argparse
import io
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a node does: for how long, on which input size, above which score."""

    node_id: str
    seconds: float
    size: tuple[int, int]
    threshold: float
    sample: Path | None


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
            image, truth = camera.take(_scene_at(elapsed, plan.seconds))
            masked = _mask_one(session, plan, number, image, truth)
            if plan.sample and elapsed > plan.seconds / 8:
                plan.sample.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.hstack([image, masked])).save(plan.sample)
                plan = Plan(plan.node_id, plan.seconds, plan.size, plan.threshold, None)
            number = _next_frame(started, number)
    return asdict(session.monitor.stats())


def _mask_one(
    session: InstrumentedSession, plan: Plan, number: int, image: Image8, truth: list[Face]
) -> Image8:
    with session.frame(image, number=number) as frame:
        outputs = frame.run(OUTPUTS, {INPUT: prepare(image, plan.size)})
        with frame.stage("mask"):
            faces = decode(outputs, plan.size, (WIDTH, HEIGHT), plan.threshold)
            masked, coverage = mask_faces(image, faces)
        with frame.stage("output"):
            Image.fromarray(masked).save(io.BytesIO(), "JPEG", quality=80)
        missed = sum(all(overlap(face, real) < 0.5 for face in faces) for real in truth)
        frame.record(faces=len(faces), faces_unmasked=missed, mask_coverage=coverage)
        frame.record(detection_score=float(outputs[0].max()))
        if faces:
            frame.record(face_size=(faces[0].bottom - faces[0].top) / HEIGHT)
    return masked


def _scene_at(elapsed: float, seconds: float) -> Scene:
    sway = 0.5 + 0.5 * math.sin(2 * math.pi * elapsed / _SWAY_S)
    light = 1.0 - (1.0 - _DARKEST) * min(1.0, elapsed / seconds)
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
    )
    print(json.dumps(run_node(settings, model, plan)))


if __name__ == "__main__":
    main()
