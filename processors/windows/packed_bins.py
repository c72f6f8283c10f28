"""Keeps rising runs of bins as the gaps between them, which mostly fit a byte."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
_WIDEST = 255


@dataclass(frozen=True, slots=True)
class PackedBins:
    """The bins of many rows, row by row; the first bin of a row is kept elsewhere.

    Attributes:
        gaps: what each bin is above the one before it; 0 for the first of a row, and for a gap
            that is too wide.
        wide_places: where those are, rising.
        wide_gaps: and what they are.
    """

    gaps: npt.NDArray[np.uint8]
    wide_places: npt.NDArray[np.int32]
    wide_gaps: npt.NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.gaps.nbytes + self.wide_places.nbytes + self.wide_gaps.nbytes

    def between(self, begin: int, end: int) -> "PackedBins":
        """The bins from one row's first up to, but without, another's."""
        low, high = np.searchsorted(self.wide_places, (begin, end))
        places = self.wide_places[low:high] - np.int32(begin)
        return PackedBins(self.gaps[begin:end], places, self.wide_gaps[low:high])

    def unpacked(self, first: Integers, starts: Integers) -> Integers:
        """The bins.

        Args:
            first: the first bin of each row, of n; anything for a row without bins.
            starts: where the bins of each row begin, of n + 1.
        """
        if not self.gaps.size:
            return np.zeros(0, np.int64)
        bins = self.gaps.astype(np.int64)
        bins[self.wide_places] = self.wide_gaps
        np.cumsum(bins, out=bins)
        # Rows without bins have no place in `bins`, and nothing to say about it.
        heads = np.minimum(starts[:-1], len(bins) - 1)
        bins += np.repeat(first - bins[heads], np.diff(starts))
        return bins


def pack(bins: Integers, starts: Integers) -> PackedBins:
    """The bins of many rows, rising within each; `starts` of n + 1 says where each row begins."""
    gaps = np.diff(bins, prepend=0)
    gaps[starts[:-1][np.diff(starts) > 0]] = 0
    wide = np.flatnonzero(gaps > _WIDEST).astype(np.int32)
    wide_gaps = gaps[wide].astype(np.int32)
    gaps[wide] = 0
    return PackedBins(gaps.astype(np.uint8), wide, wide_gaps)


def joined(several: Sequence[PackedBins]) -> PackedBins:
    """The bins of rows that follow one another."""
    ends = np.cumsum([len(each.gaps) for each in several], dtype=np.int32)
    return PackedBins(
        np.concatenate([each.gaps for each in several]),
        np.concatenate(
            [
                each.wide_places + (end - np.int32(len(each.gaps)))
                for each, end in zip(several, ends, strict=True)
            ]
        ),
        np.concatenate([each.wide_gaps for each in several]),
    )
