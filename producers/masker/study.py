"""Finds the detection threshold and input size to deploy: a small experiment on real frames."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.producers.masker.centerface import (
    INPUT,
    OUTPUTS,
    Face,
    Image8,
    decode,
    overlap,
    prepare,
)
from modeltrail.producers.masker.detector import InferenceSession, open_detector
from modeltrail.producers.masker.frames import HEIGHT, WIDTH, Camera, Scene
from modeltrail.schemas.ids import RunId

EXPERIMENT = "centerface-threshold"
SIZES = ((160, 128), (320, 256), (480, 384))
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.85)
_SAME_FACE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run found best: the highest F1, the lowest latency among equals."""

    run_id: RunId
    size: tuple[int, int]
    threshold: float
    f1: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class _Step:
    threshold: float
    precision: float
    recall: float
    latency_ms: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def run_study(
    tracker: ExperimentTracker,
    model: bytes,
    frames: int,
    progress: Callable[[], None],
) -> list[Choice]:
    """Track one run an input size, one step a threshold; give each run's best.

    Args:
        tracker: where the runs are tracked.
        model: an ONNX detector with free input size.
        frames: labelled frames that each step is measured on.
        progress: called after each step.
    """
    labelled = _labelled_frames(frames)
    return [_run_of_size(tracker, model, size, labelled, progress) for size in SIZES]


def _run_of_size(
    tracker: ExperimentTracker,
    model: bytes,
    size: tuple[int, int],
    labelled: Sequence[tuple[Image8, list[Face]]],
    progress: Callable[[], None],
) -> Choice:
    config = {"input_width": size[0], "input_height": size[1], "thresholds": list(THRESHOLDS)}
    run_id = tracker.start_experiment(EXPERIMENT, config)
    session = open_detector(model)
    steps = []
    for number, threshold in enumerate(THRESHOLDS):
        step = _measure(session, size, threshold, labelled)
        steps.append(step)
        values = {
            "threshold": threshold,
            "precision": step.precision,
            "recall": step.recall,
            "latency_ms": step.latency_ms,
        }
        tracker.log_metrics(run_id, values, step=number)
        progress()
    best = max(steps, key=lambda step: (step.f1, -step.latency_ms))
    final = {"best_threshold": best.threshold, "best_f1": best.f1}
    tracker.log_metrics(run_id, final)
    tracker.end_experiment(run_id)
    return Choice(run_id, size, best.threshold, best.f1, best.latency_ms)


def _measure(
    session: InferenceSession,
    size: tuple[int, int],
    threshold: float,
    labelled: Sequence[tuple[Image8, list[Face]]],
) -> _Step:
    found = hits = present = 0
    latencies = []
    for frame, truth in labelled:
        started = time.perf_counter()
        outputs = session.run(OUTPUTS, {INPUT: prepare(frame, size)})
        faces = decode(outputs, size, (WIDTH, HEIGHT), threshold)
        latencies.append((time.perf_counter() - started) * 1000)
        found += len(faces)
        present += len(truth)
        hits += sum(any(overlap(face, real) > _SAME_FACE_IOU for face in faces) for real in truth)
    precision = hits / found if found else 1.0
    return _Step(threshold, precision, hits / present, float(np.median(latencies)))


def _labelled_frames(count: int) -> list[tuple[Image8, list[Face]]]:
    chance = np.random.default_rng(7)
    camera = Camera(seed=7)
    return [
        camera.take(
            Scene(
                shift=(float(chance.uniform()), float(chance.uniform())),
                scale=float(chance.uniform(0.3, 1.0)),
                light=float(chance.uniform(0.03, 1.0)),
                noise=float(chance.uniform(2.0, 20.0)),
                faceless=number % 4 == 3,
            )
        )
        for number in range(count)
    ]
