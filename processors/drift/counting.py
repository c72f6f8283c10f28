"""Counts the values of many windows over the bins of the references that each is judged by."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from modeltrail.processors.drift.reference import FEATURE, Feature, Reference
from modeltrail.processors.drift.shares import Counts
from modeltrail.schemas.columns import Longs
from modeltrail.schemas.events import FeatureKind, MetricWindow
from modeltrail.schemas.sketch import Integers

Counted = tuple[Reference, Mapping[str, MetricWindow]]

#: As many windows at once keep arrays small and calls few.
_AT_ONCE = 64


def counted(windows: Sequence[Counted]) -> Iterator[Counts]:
    """Of each window and its reference the values in each bin, shape (width,).

    Counts are exact for the edges of the reference; a feature without values has zeros.
    """
    for first in range(0, len(windows), _AT_ONCE):
        yield from _rows(windows[first : first + _AT_ONCE])


def _rows(windows: Sequence[Counted]) -> Iterator[Counts]:
    features: list[Feature] = []
    starts: list[Integers] = []
    found: list[tuple[int, MetricWindow]] = []
    for reference, metrics in windows:
        starts.append(reference.starts + FEATURE * len(features))
        for number, feature in enumerate(reference.features, len(features)):
            if (metric := metrics.get(feature.name)) is not None:
                found.append((number, metric))
        features += reference.features
    totals = _totals(features, np.concatenate(starts), found)
    end = 0
    for reference, _ in windows:
        end += reference.width
        yield totals[end - reference.width : end]


def _totals(
    features: Sequence[Feature], starts: Integers, found: Sequence[tuple[int, MetricWindow]]
) -> Integers:
    """Values in each bin of all features in a row, from metrics of those with these numbers."""
    width = len(starts) + len(features)
    if not found:
        return np.zeros(width, dtype=np.int64)
    bins = [metric.bins for _, metric in found]
    of = np.repeat([number for number, _ in found], list(map(len, bins)))
    keys = FEATURE * of + _joined(bins).astype(np.int32)
    places = np.searchsorted(starts, keys, side="right")
    # Every feature has one bin more than it has starts.
    columns = places + of
    categorical = [feature.kind is FeatureKind.CATEGORICAL for feature in features]
    if any(categorical):
        others = np.cumsum([len(feature.counts) for feature in features]) - 1
        known = np.where(starts[places - 1] == keys, columns - 1, others[of])
        columns = np.where(np.array(categorical)[of], known, columns)
    counts = _joined([metric.counts for _, metric in found])
    return np.bincount(columns, counts, width).astype(np.int64)


def _joined(columns: Sequence[Longs]) -> Integers:
    return np.frombuffer(b"".join(columns), dtype=np.int64)
