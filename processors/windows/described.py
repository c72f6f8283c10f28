"""Works out what the metrics of kept measurements come to, for many series at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from modeltrail.processors.windows.sketches import Floats, Integers, middles
from modeltrail.schemas.events import MetricWindow
from modeltrail.schemas.sketch import bins_of, mean_of, normalised

_SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Shape:
    """The metrics of one series: (minimum, maximum), and the values of the ranks that are asked."""

    names: tuple[str, ...]
    totals: Integers
    ranges: Floats
    ranked: Floats


def shape_of(names: tuple[str, ...], values: Floats, totals: Integers) -> Shape:
    """What is looked up in the values of a series.

    Args:
        names: of the metrics.
        values: a row a metric and a column a measurement; NaN is none.
        totals: count, at least 1, and sum as whole number and fraction of each metric, (n, 3).
    """
    counts = totals[:, 0]
    rising = np.sort(values, axis=1)
    ranks = np.maximum(np.ceil(np.multiply.outer(_SHARES, counts)), 1).astype(np.int64)
    each = np.arange(len(names))
    ranges = np.stack((rising[:, 0], rising[each, counts - 1]))
    return Shape(names, totals, ranges, rising[each, ranks - 1])


def described(shapes: Sequence[Shape]) -> Iterator[tuple[MetricWindow, ...]]:
    """What the metrics of each series come to."""
    if not shapes:
        return
    counts, *sums = np.concatenate([shape.totals for shape in shapes]).T.tolist()
    ranges = np.concatenate([shape.ranges for shape in shapes], axis=1)
    ranked = np.concatenate([shape.ranked for shape in shapes], axis=1)
    normal = list(map(normalised, *sums))
    metrics = map(
        MetricWindow,
        [name for shape in shapes for name in shape.names],
        counts,
        [whole for whole, _ in normal],
        [fraction for _, fraction in normal],
        [mean_of(count, *total) for count, total in zip(counts, normal, strict=True)],
        *ranges.tolist(),
        *np.clip(middles(bins_of(ranked)), *ranges).tolist(),
    )
    for shape in shapes:
        yield tuple(islice(metrics, len(shape.names)))
