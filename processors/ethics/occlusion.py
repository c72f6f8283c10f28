"""Answers which part of an image a model looks at: its score as a grey patch moves over it.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from modeltrail.processors.ethics.refusals import Refused
from modeltrail.processors.ethics.scoring import failed
from modeltrail.schemas.assessment_settings import ExplainSettings
from modeltrail.schemas.events import AssessmentRefusal

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

#: Sides of inputs that a model leaves free: multiples of what detectors halve five times.
_LONGEST_SIDE = 320
_MULTIPLE = 32
_MOST_PIXELS = 50_000_000
_GREY = 127


@dataclass(frozen=True, slots=True)
class Occlusion:
    """One map.

    Attributes:
        drops: score lost where a patch is grey, shape (patches down, patches across).
        score: of the whole image.
        png: the image with the map over it.
    """

    drops: Floats
    score: float
    png: bytes


def occlusion_of(session: Any, encoded: bytes, settings: ExplainSettings) -> Occlusion:
    """The map of one PNG or JPEG.

    Raises:
        Refused: no image, or the model does not take images or fails.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise Refused(
            AssessmentRefusal.MODEL_FAILED,
            "the model does not take one image: leave explain.image out",
        )
    image = _decoded(encoded, inputs[0].shape, settings)
    channels = inputs[0].shape[-1 if settings.channels_last else 1]
    ask = _Scorer(session, inputs[0], settings, channels)
    whole = ask.score(image)
    height, width = image.shape[:2]
    side = -(-max(height, width) // settings.patches)
    drops = np.zeros((-(-height // side), -(-width // side)))
    for row in range(drops.shape[0]):
        for column in range(drops.shape[1]):
            covered = image.copy()
            covered[row * side : (row + 1) * side, column * side : (column + 1) * side] = _GREY
            drops[row, column] = whole - ask.score(covered)
    return Occlusion(drops, whole, _png(image, drops, side))


class _Scorer:
    """Gives the model's score of images of one size.

    A classifier's score is that of the class that the whole image gets; of maps, as detectors give
    them, it is the highest value of the first output.
    """

    def __init__(self, session: Any, taken: Any, settings: ExplainSettings, channels: Any) -> None:
        self._session = session
        self._taken = taken
        self._settings = settings
        self._grey = channels == 1
        self._output = session.get_outputs()[0].name
        self._place: int | None = None

    def score(self, image: Pixels) -> float:
        """The score of an image, shape (height, width, 3)."""
        pixels = image.astype(np.float32) * self._settings.scale
        if self._grey:
            pixels = pixels.mean(axis=2, keepdims=True)
        if not self._settings.channels_last:
            pixels = pixels.transpose(2, 0, 1)
        kind = np.uint8 if self._taken.type == "tensor(uint8)" else np.float32
        try:
            (output,) = self._session.run(
                [self._output], {self._taken.name: np.ascontiguousarray(pixels[None], kind)}
            )
        except Exception as error:
            raise failed("fails on an image", error) from error
        values = np.asarray(output, np.float64)
        if values.ndim > 2:
            return float(values.max())
        flat = values.reshape(-1)
        if self._place is None:
            self._place = int(flat.argmax())
        return float(flat[self._place])


def _decoded(encoded: bytes, shape: list[Any], settings: ExplainSettings) -> Pixels:
    sides = shape[1:3] if settings.channels_last else shape[2:4]
    try:
        with Image.open(io.BytesIO(encoded), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Refused(
                    AssessmentRefusal.TOO_LARGE,
                    f"an image has {image.width} x {image.height} pixels: make it smaller",
                )
            size = _size(image.width, image.height, sides)
            return np.asarray(image.convert("RGB").resize(size), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(
            AssessmentRefusal.DATA_UNREADABLE,
            f"a row holds no PNG or JPEG ({str(error)[:200]}): correct explain.image",
        ) from error


def _size(width: int, height: int, sides: list[Any]) -> tuple[int, int]:
    """Width and height that the model takes, near those of the image where it leaves them free."""
    factor = min(1.0, _LONGEST_SIDE / max(width, height))
    free = [
        max(_MULTIPLE, round(each * factor / _MULTIPLE) * _MULTIPLE) for each in (height, width)
    ]
    rows, columns = (
        fixed if isinstance(fixed, int) and fixed > 0 else chosen
        for fixed, chosen in zip(sides, free, strict=True)
    )
    return columns, rows


def _png(image: Pixels, drops: Floats, side: int) -> bytes:
    """The image, red where covering it costs the score most."""
    height, width = image.shape[:2]
    strength = np.clip(drops, 0, None)
    strength = strength / strength.max() if strength.max() > 0 else strength
    shade = np.kron(strength, np.ones((side, side)))[:height, :width, None]
    grey = image.mean(axis=2, keepdims=True) * 0.6
    mixed = grey * (1 - 0.7 * shade) + np.array([255.0, 40.0, 0.0]) * 0.7 * shade
    buffer = io.BytesIO()
    Image.fromarray(np.broadcast_to(mixed, image.shape).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
