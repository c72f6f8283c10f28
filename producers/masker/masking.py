"""Hides faces in a frame beyond recognition: each is filled with its own mean colour."""

from collections.abc import Sequence

import numpy as np

from modeltrail.producers.masker.centerface import Face, Image8

_MARGIN = 0.15


def mask_faces(frame: Image8, faces: Sequence[Face]) -> tuple[Image8, float]:
    """Fill every face, with a margin, by its mean colour.

    Returns:
        The masked copy of the height x width x 3 frame, and the share of it that is masked.
    """
    masked = frame.copy()
    hidden = np.zeros(frame.shape[:2], bool)
    for face in faces:
        rows, columns = _region(face, frame.shape[0], frame.shape[1])
        region = frame[rows, columns]
        if region.size:
            masked[rows, columns] = region.reshape(-1, 3).mean(axis=0).astype(np.uint8)
            hidden[rows, columns] = True
    return masked, float(hidden.mean())


def _region(face: Face, height: int, width: int) -> tuple[slice, slice]:
    dx = (face.right - face.left) * _MARGIN
    dy = (face.bottom - face.top) * _MARGIN
    return (
        slice(max(0, int(face.top - dy)), min(height, int(face.bottom + dy) + 1)),
        slice(max(0, int(face.left - dx)), min(width, int(face.right + dx) + 1)),
    )
