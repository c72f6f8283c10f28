"""Takes one camera frame through the masker's stages, and records what is measured of it."""

import io
import math
import time

from PIL import Image

from modeltrail.producers.masker.centerface import (
    INPUT,
    OUTPUTS,
    Face,
    Image8,
    decode,
    overlap,
    prepare,
)
from modeltrail.producers.masker.frames import HEIGHT, WIDTH, Scene
from modeltrail.producers.masker.masking import mask_faces
from modeltrail.producers.monitoring.frame import Frame

FPS = 25
NOISE = 9.0
_SWAY_S = 7.0
_SAME_FACE_IOU = 0.5


def mask_frame(
    frame: Frame, image: Image8, truth: list[Face], size: tuple[int, int], threshold: float
) -> Image8:
    """The image without its faces.

    Args:
        frame: the frame that began with this image.
        image: height x width x 3.
        truth: the faces that are really in it.
        size: width and height of the detector's input.
        threshold: score above which a face is masked.
    """
    outputs = frame.run(OUTPUTS, {INPUT: prepare(image, size)})
    with frame.stage("mask"):
        faces = decode(outputs, size, (WIDTH, HEIGHT), threshold)
        masked, coverage = mask_faces(image, faces)
    with frame.stage("output"):
        Image.fromarray(masked).save(io.BytesIO(), "JPEG", quality=80)
    missed = sum(all(overlap(face, real) < _SAME_FACE_IOU for face in faces) for real in truth)
    frame.record(faces=len(faces), faces_unmasked=missed, mask_coverage=coverage)
    frame.record(detection_score=float(outputs[0].max()))
    if faces:
        frame.record(face_size=(faces[0].bottom - faces[0].top) / HEIGHT)
    return masked


def scene_at(elapsed: float, light: float, scale: float = 1.0) -> Scene:
    """What the camera sees after so many seconds."""
    sway = 0.5 + 0.5 * math.sin(2 * math.pi * elapsed / _SWAY_S)
    return Scene(shift=(sway, 0.5), scale=scale, light=light, noise=NOISE)


def next_frame(started: float, number: int, fps: float = FPS) -> int:
    """Wait for the next frame of the camera; the ones that passed meanwhile are skipped."""
    due = started + (number + 1) / fps
    late = time.monotonic() - due
    if late < 0:
        time.sleep(-late)
        return number + 1
    return number + 1 + math.floor(late * fps)
