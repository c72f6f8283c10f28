"""Makes camera frames of a real photograph: one known face, moving, under light that dims."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from skimage import data

from modeltrail.producers.masker.centerface import Face, Image8

WIDTH, HEIGHT = 640, 480
# Corners of the face in scikit-image's 512 x 512 astronaut, hairline to chin.
_FACE = (178, 72, 274, 186)
_NO_FACE_ABOVE = 230
_NOISE_PLANES = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """How one frame is taken.

    Attributes:
        shift: offset of the photograph, as shares of the free margin, 0 to 1 each.
        scale: size of the photograph as a share of the frame height, up to 1.
        light: share of the light that is left, 0 to 1.
        noise: standard deviation of the sensor noise, grey levels.
        faceless: show only the part of the photograph below the face.
    """

    shift: tuple[float, float] = (0.5, 0.5)
    scale: float = 1.0
    light: float = 1.0
    noise: float = 2.0
    faceless: bool = False


class Camera:
    """A 640 x 480 camera in front of the photograph; the noise is seeded."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._photograph = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
        # Drawing fresh noise would take longer than detecting: planes are drawn once and shifted.
        shape = (_NOISE_PLANES, HEIGHT, WIDTH, 1)
        self._noise = self._chance.standard_normal(shape, dtype=np.float32)
        self._scaled: dict[tuple[int, bool], Image.Image] = {}

    def take(self, scene: Scene) -> tuple[Image8, list[Face]]:
        """One RGB frame, height x width x 3, and the faces that are really in it."""
        side = round(HEIGHT * scene.scale)
        left = round((WIDTH - side) * scene.shift[0])
        top = round((HEIGHT - side) * scene.shift[1])
        frame = Image.new("RGB", (WIDTH, HEIGHT), (120, 116, 110))
        frame.paste(self._photograph_of(side, scene.faceless), (left, top))
        plane = self._noise[self._chance.integers(_NOISE_PLANES)]
        noise = np.roll(plane, int(self._chance.integers(HEIGHT)), axis=0) * scene.noise
        pixels = np.asarray(frame, np.float32) * np.float32(scene.light) + noise
        ratio = side / 512
        x0, y0, x1, y1 = (edge * ratio for edge in _FACE)
        truth = Face(left + x0, top + y0, left + x1, top + y1, 1.0)
        return np.clip(pixels, 0, 255).astype(np.uint8), [] if scene.faceless else [truth]

    def _photograph_of(self, side: int, faceless: bool) -> Image.Image:
        if (side, faceless) not in self._scaled:
            whole = self._photograph
            part = whole.crop((0, _NO_FACE_ABOVE, 512, 512)) if faceless else whole
            self._scaled[side, faceless] = part.resize((side, side))
        return self._scaled[side, faceless]
