"""Counts outcomes by group and unit: all that fairness needs of the rows, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.events import AssessmentRefusal
from modeltrail.schemas.sketch import bins_of, merged

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

#: The cells of an outcome: hit, miss, false alarm, right and wrong among what is neither.
TP, FN, FP, TN, TN_WRONG = range(5)
CELLS = 5
#: Units are counted in so many lots, by the hash of their name: lots are as independent as units.
LOTS = 1024
MOST_GROUPS = 300


@dataclass(slots=True)
class Groups:
    """The intersecting groups met so far: a code for each combination of labels."""

    _keys: dict[tuple[int, ...], int] = field(default_factory=dict)

    def codes(self, columns: Sequence[Codes]) -> Codes:
        """The group of each row.

        Args:
            columns: of each attribute the codes of the labels, none missing.

        Raises:
            Refused: too many groups.
        """
        distinct, places = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        codes = [self._code(tuple(int(each) for each in row)) for row in distinct]
        if len(self._keys) > MOST_GROUPS:
            raise Refused(
                AssessmentRefusal.TOO_LARGE,
                f"the sensitive attributes make more than {MOST_GROUPS} groups: "
                "name fewer of them, or cut numbers into fewer ranges",
            )
        taken: Codes = np.array(codes, np.int64)[places.reshape(-1)]
        return taken

    def keys(self) -> list[tuple[int, ...]]:
        """The labels' codes of each group, as they were met."""
        return list(self._keys)

    def _code(self, key: tuple[int, ...]) -> int:
        return self._keys.setdefault(key, len(self._keys))


class OutcomeTable:
    """Counts of shape (lots, groups, cells); without units there is one lot."""

    def __init__(self, *, by_lot: bool) -> None:
        self._lots = LOTS if by_lot else 1
        self._counts = np.zeros((self._lots, 0, CELLS), np.int64)

    def add(self, groups: Codes, cells: Codes, weights: Codes | None, lots: Codes | None) -> None:
        """Count rows; `weights` says how many each of them is."""
        if not len(groups):
            return
        self._grow(int(groups.max()) + 1)
        width = self._counts.shape[1]
        flat = groups * CELLS + cells
        if lots is not None and self._lots > 1:
            flat += lots * width * CELLS
        size = self._counts.size
        if weights is None:
            added = np.bincount(flat, minlength=size)
        else:
            added = np.rint(np.bincount(flat, weights, minlength=size)).astype(np.int64)
        self._counts += added.reshape(self._counts.shape)

    def counts(self, order: Sequence[int]) -> Counts:
        """The counts, of lots that have any; groups in this order."""
        self._grow(len(order))
        ordered = self._counts[:, list(order)]
        return ordered[ordered.any(axis=(1, 2))]

    def _grow(self, groups: int) -> None:
        missing = groups - self._counts.shape[1]
        if missing > 0:
            self._counts = np.pad(self._counts, ((0, 0), (0, missing), (0, 0)))


class ValueTable:
    """Sums of a measured value by lot and group, and its bins by group."""

    def __init__(self, *, by_lot: bool) -> None:
        self._lots = LOTS if by_lot else 1
        self._sums = np.zeros((self._lots, 0, 3))
        self._bins: dict[int, list[tuple[Codes, Codes]]] = {}

    def add(self, groups: Codes, values: npt.NDArray[np.float64], lots: Codes | None) -> None:
        """Take values, none of them missing."""
        if not len(groups):
            return
        self._grow(int(groups.max()) + 1)
        width = self._sums.shape[1]
        flat = groups + (lots * width if lots is not None and self._lots > 1 else 0)
        size = self._lots * width
        for place, weights in enumerate((None, values, values * values)):
            added = np.bincount(flat, weights, minlength=size)
            self._sums[:, :, place] += added.reshape(self._lots, width)
        bins = bins_of(values)
        for group in np.unique(groups):
            found = np.unique(bins[groups == group], return_counts=True)
            held = self._bins.setdefault(int(group), [])
            held.append((found[0], found[1]))
            if len(held) > 64:
                self._bins[int(group)] = [merged(held)]  # type: ignore[list-item]

    def sums(self, order: Sequence[int]) -> npt.NDArray[np.float64]:
        """Count, sum and sum of squares, shape (lots, groups, 3), groups in this order."""
        self._grow(len(order))
        ordered = self._sums[:, list(order)]
        return ordered[ordered[:, :, 0].any(axis=1)]

    def bins(self, groups: Sequence[int]) -> tuple[npt.NDArray[np.int32], Counts]:
        """The rising bins of some groups together, and how many values each holds."""
        return merged(pair for group in groups for pair in self._bins.get(group, []))

    def _grow(self, groups: int) -> None:
        missing = groups - self._sums.shape[1]
        if missing > 0:
            self._sums = np.pad(self._sums, ((0, 0), (0, missing), (0, 0)))
