"""Makes the metrics of closed windows from columns: in a cut there are tens of thousands."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import repeat

import numpy as np

from modeltrail.processors.windows.sketches import Floats, Integers
from modeltrail.schemas.columns import Longs, no_longs
from modeltrail.schemas.events import MetricWindow
from modeltrail.schemas.sketch import FRACTION_UNIT

#: The shares of the quantiles that are told.
SHARES = (0.5, 0.95, 0.99)

# Setting a field a time of all, instead of all fields of one a time, takes a third of the time.
_SETTERS = tuple(getattr(MetricWindow, each.name).__set__ for each in fields(MetricWindow))


def metric_windows(
    names: Sequence[str],
    totals: Integers,
    ranges: Floats,
    quantiles: Floats,
    bins: Iterable[Longs] | None = None,
    bin_counts: Iterable[Longs] | None = None,
) -> list[MetricWindow]:
    """The metrics in their order.

    Args:
        names: of the metrics, n.
        totals: counts, and normalised sums as whole numbers and fractions, of shape (3, n).
        ranges: minima and maxima, of shape (2, n).
        quantiles: of each share, of shape (3, n).
        bins: the bins of each metric; None for none.
        bin_counts: and how many values are in each.
    """
    made = list(map(object.__new__, repeat(MetricWindow, len(names))))
    # One for all of them: an array of nothing takes as much room as ten numbers.
    nothing = no_longs()
    columns = (
        names,
        *totals.tolist(),
        _means(totals).tolist(),
        *ranges.tolist(),
        *quantiles.tolist(),
        repeat(nothing) if bins is None else bins,
        repeat(nothing) if bin_counts is None else bin_counts,
    )
    for setter, column in zip(_SETTERS, columns, strict=True):
        deque(map(setter, made, column), maxlen=0)
    return made


def _means(totals: Integers) -> Floats:
    """As `schemas.sketch.mean_of` says of each; where nothing was measured, the sum."""
    counts, wholes, fractions = totals
    means: Floats = (wholes + fractions * FRACTION_UNIT) / np.maximum(counts, 1)
    return means
