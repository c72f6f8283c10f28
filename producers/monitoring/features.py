"""Computes the drift features of a frame: brightness, contrast and sharpness, on a thinned image.

Luma is Y' of ITU-R BT.601. Sharpness is the variance of the Laplacian (Pech-Pacheco et al., Diatom
autofocusing in brightfield microscopy, ICPR 2000), 4-neighbour kernel. Every n-th pixel is taken so
that about 160 remain on the shorter side: values compare only between frames of one size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.errors import InvalidFact

_SHORT_SIDE = 160
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114


@dataclass(frozen=True, slots=True)
class Features:
    """Luma from 0 to 255; the variance is in squared luma."""

    luma_mean: float
    luma_std: float
    laplacian_var: float


def frame_features(image: npt.NDArray[Any], *, bgr: bool = False) -> Features:
    """The features of an image of shape (height, width) or (height, width, 3 or 4), 0 to 255.

    Args:
        image: gray, or RGB with the colours last; a fourth channel is ignored.
        bgr: the colours come as OpenCV gives them.

    Raises:
        InvalidFact: another shape, or below 3 x 3 pixels.
    """
    luma = _luma(image, bgr)
    inner = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner
    return Features(float(luma.mean()), float(luma.std()), float(laplacian.var()))


def _luma(image: npt.NDArray[Any], bgr: bool) -> npt.NDArray[np.float32]:
    shape: tuple[int, ...] = getattr(image, "shape", ())
    if len(shape) < 2 or min(shape) < 3 or shape[2:] not in ((), (3,), (4,)):
        raise InvalidFact(
            f"a frame of shape {shape}: give (height, width) or (height, width, 3), 3 x 3 or more"
        )
    step = max(1, min(shape[0], shape[1]) // _SHORT_SIDE)
    thin = image[::step, ::step]
    if min(thin.shape[:2]) < 3:
        thin = image
    if thin.ndim == 2:
        return thin.astype(np.float32)
    weights = (_BLUE, _GREEN, _RED) if bgr else (_RED, _GREEN, _BLUE)
    return thin[..., :3].astype(np.float32) @ np.array(weights, dtype=np.float32)
