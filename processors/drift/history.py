"""Keeps the last hour of a series as counts over the bins of its reference, by buckets of 10 s."""

from collections.abc import Mapping

import numpy as np

from modeltrail.processors.drift.reference import Reference
from modeltrail.processors.drift.shares import Counts
from modeltrail.schemas.events import MetricWindow
from modeltrail.schemas.ids import Micros

BUCKET_US = 10_000_000
BUCKETS = 360
SPAN_US = BUCKETS * BUCKET_US


class History:
    """A ring of counts; its memory is touched only as far as there are buckets."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.newest = Micros(0)
        self._ends = np.zeros(BUCKETS, dtype=np.int64)
        self._counts = np.zeros((BUCKETS, reference.width), dtype=np.int32)

    def add(self, end: Micros, metrics: Mapping[str, MetricWindow]) -> None:
        """Take the bucket that ends at `end`; one that is there already is replaced."""
        slot = end // BUCKET_US % BUCKETS
        row = self._counts[slot]
        row[:] = 0
        for feature, place in zip(self.reference.features, self.reference.slices, strict=True):
            metric = metrics.get(feature.name)
            if metric is not None:
                row[place] = feature.count(metric)
        self._ends[slot] = end
        self.newest = max(self.newest, end)

    def until(self, end: Micros) -> Counts:
        """The buckets of the hour up to `end` in the order of time, shape (360, width)."""
        ends = end - BUCKET_US * np.arange(BUCKETS - 1, -1, -1)
        slots = ends // BUCKET_US % BUCKETS
        counts: Counts = np.where((self._ends[slots] == ends)[:, None], self._counts[slots], 0)
        return counts
