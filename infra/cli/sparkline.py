"""Draws a curve as one line of blocks, for terminals."""

import itertools
import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 24


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Finite values in their order, as at most `width` blocks from the lowest to the highest."""
    cells = _means(values, width)
    if not cells:
        return ""
    low, high = min(cells), max(cells)
    # Halved first: the distance between the largest floats of both signs is no float.
    span = high / 2 - low / 2
    if span == 0 or not math.isfinite(span):
        return _BLOCKS[len(_BLOCKS) // 2] * len(cells)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value / 2 - low / 2) / span * top)] for value in cells)


def _means(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [len(values) * cell // width for cell in range(width + 1)]
    return [
        math.fsum(value / (end - start) for value in values[start:end])
        for start, end in itertools.pairwise(edges)
    ]
