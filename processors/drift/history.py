"""Keeps the last hour of a series as counts over the bins of its reference, by buckets of 10 s."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from modeltrail.processors.drift.reference import Reference
from modeltrail.processors.drift.shares import Counts, Floats
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.sketch import Flags

BUCKET_US = 10_000_000
BUCKETS = 360
SPAN_US = BUCKETS * BUCKET_US

Numbers = TypeVar("Numbers", bound=npt.NDArray[Any])


class History:
    """A ring of counts; its memory is touched only as far as there are buckets."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.newest = Micros(0)
        self._ends = np.zeros(BUCKETS, dtype=np.int64)
        self._counts = np.zeros((BUCKETS, reference.width), dtype=np.int32)

    def add(self, end: Micros, counts: Counts) -> None:
        """Take the bucket that ends at `end`, shape (width,); one that is there is replaced."""
        slot = end // BUCKET_US % BUCKETS
        self._counts[slot] = counts
        self._ends[slot] = end
        self.newest = max(self.newest, end)

    def known(self, end: Micros) -> Flags:
        """Which buckets of the hour up to `end` there are, in the order of time, shape (360,)."""
        ends = _newest(self._ends, end, np.empty(BUCKETS, dtype=np.int64))
        # A slot that no bucket of this hour came for has one of an hour before, or none.
        return (ends > end - SPAN_US) & (ends <= end)

    def until(self, end: Micros, known: Flags) -> Floats:
        """The last buckets up to `end` that there are, in the order of time, shape (n, width).

        Args:
            end: of the newest bucket.
            known: the last entries of `known(end)`, as many as buckets are asked for.
        """
        known = known[int(known.argmax()) :]
        counts = _newest(self._counts, end, np.empty((len(known), self.reference.width)))
        return counts if known.all() else counts[known]


def _newest(ring: npt.NDArray[Any], end: Micros, into: Numbers) -> Numbers:
    """Fill `into` with the slots of the last buckets up to `end`, in the order of time."""
    newest = end // BUCKET_US % BUCKETS
    wrapped = max(len(into) - newest - 1, 0)
    into[:wrapped] = ring[BUCKETS - wrapped :]
    into[wrapped:] = ring[newest + 1 - len(into) + wrapped : newest + 1]
    return into
