"""One node of the demo: detects and masks faces on camera frames while the light dims."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from modeltrail.infra.config import Settings, load_settings
from modeltrail.producers.masker.centerface import Image8
from modeltrail.producers.masker.detector import session_options
from modeltrail.producers.masker.frames import Camera
from modeltrail.producers.masker.light import Conditions
from modeltrail.producers.masker.pipeline import FPS, mask_frame, next_frame, scene_at
from modeltrail.producers.monitoring.session import InstrumentedSession
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.fold import RegisteredModel


@dataclass(frozen=True, slots=True)
class Plan:
    """What a node does.

    Attributes:
        node_id: name of the node.
        conditions: for how long, at what light, on which input size.
        threshold: score above which a face is masked.
        sample: where one frame is shown before and after masking, if anywhere.
    """

    node_id: str
    conditions: Conditions
    threshold: float
    sample: Path | None = None


def run_node(settings: Settings, model: RegisteredModel, plan: Plan) -> dict[str, int]:
    """Mask frames at camera speed for the planned time; frames that come too late are dropped.

    Returns:
        What became of the measurements, see `MonitorStats`.
    """
    camera = Camera(seed=sum(plan.node_id.encode()))
    conditions = plan.conditions
    with InstrumentedSession(
        model, node_id=plan.node_id, settings=settings, session_options=session_options()
    ) as session:
        started = time.monotonic()
        number = 0
        while (elapsed := time.monotonic() - started) < conditions.seconds:
            image, truth = camera.take(scene_at(elapsed, conditions.light_at(elapsed)))
            with session.frame(image, number=number) as frame:
                size = conditions.size_at(elapsed)
                masked = mask_frame(frame, image, truth, size, plan.threshold)
            if plan.sample and elapsed > conditions.seconds / 8:
                plan.sample.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.hstack([image, masked])).save(plan.sample)
                plan = replace(plan, sample=None)
            number = next_frame(started, number)
    return asdict(session.monitor.stats())


def usual_frames(count: int) -> Iterator[Image8]:
    """Frames as a node takes them before the light dims, one every 25th of a second."""
    camera = Camera(seed=0)
    for number in range(count):
        yield camera.take(scene_at(number / FPS, 1.0))[0]


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """The options of a node's conditions."""
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument(
        "--size", type=int, nargs=2, default=(320, 256), metavar=("WIDTH", "HEIGHT")
    )
    parser.add_argument("--dims-from", type=float, metavar="SECONDS")
    parser.add_argument("--larger", type=float, nargs=2, default=(0.0, 0.0), metavar="SECONDS")
    parser.add_argument("--light", type=float, default=1.0, metavar="SHARE")


def conditions_of(wanted: argparse.Namespace) -> Conditions:
    """The conditions that were asked for; the light never dims unless it is said from when."""
    dims_from = float("inf") if wanted.dims_from is None else wanted.dims_from
    size, larger = wanted.size, wanted.larger
    return Conditions(
        wanted.seconds, (size[0], size[1]), dims_from, (larger[0], larger[1]), wanted.light
    )


def main() -> None:
    """Run a node as a process; the last line of its output is the monitor's statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node-id", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--config", type=Path)
    add_conditions(parser)
    wanted = parser.parse_args()
    settings = load_settings(wanted.config)
    model = ModelRegistry(settings).get_model(wanted.model, wanted.version)
    if model is None:
        sys.exit(f"{wanted.model} {wanted.version} is not registered: register it first")
    plan = Plan(wanted.node_id, conditions_of(wanted), wanted.threshold, wanted.sample)
    print(json.dumps(run_node(settings, model, plan)))


if __name__ == "__main__":
    main()
