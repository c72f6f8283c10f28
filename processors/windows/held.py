"""Brings what a partition holds of a bucket in the columns in which it is told."""

import numpy as np

from modeltrail.processors.windows.chunks import bytes_of_metric_names
from modeltrail.processors.windows.columns import MEASUREMENTS_CODE, Codes, Integers
from modeltrail.processors.windows.sketches import AnyIntegers, Sketches
from modeltrail.processors.windows.tally import metrics_in, series_in
from modeltrail.schemas.columns import Doubles, Longs, doubles, longs

# What a bin and its count, and the other numbers of a metric take in Avro, about.
_BIN_BYTES = 5
_METRIC_BYTES = 40

HeldColumns = tuple[
    Longs,
    tuple[str, ...],
    Longs,
    Longs,
    Longs,
    Longs,
    Longs,
    Doubles,
    Doubles,
    Longs,
    Longs,
    Longs,
]
"""The columns of PartialWindows from `measurements` on, in its order."""


class Held:
    """What a table says of some series, in the order in which it is told.

    Args:
        table: as a tally gives it.
        codes: of the series, in that order, at least one; it says something of each.
        metrics: what the codes of metrics mean.
    """

    def __init__(self, table: Sketches, codes: list[int], metrics: Codes[str]) -> None:
        self._table = table
        self._metrics = metrics
        self._bins = table.bins.astype(np.int32)
        owners = series_in(table)
        ranks = np.full(owners.max() + 1, -1)
        ranks[codes] = np.arange(len(codes))
        told = ranks[owners]
        kinds = metrics_in(table)
        counted = (kinds == MEASUREMENTS_CODE) & (told >= 0)
        # There is none where only truth came.
        self._measurements = np.zeros(len(codes), dtype=np.int64)
        self._measurements[told[counted]] = table.totals[0, counted]
        rows = np.flatnonzero((kinds != MEASUREMENTS_CODE) & (told >= 0))
        # By name: codes of metrics are as they come, which differs from run to run.
        self._rows = rows[np.lexsort((self._by_name(kinds[rows]), told[rows]))]
        self._kinds = kinds[self._rows]
        self._heads = np.searchsorted(told[self._rows], np.arange(len(codes) + 1))

    def sizes(self) -> Integers:
        """About how many bytes it takes to tell of the metrics of each series."""
        bins = np.diff(self._table.starts)[self._rows]
        each = _BIN_BYTES * bins + _METRIC_BYTES + self._bytes_of_names()
        return np.diff(np.concatenate(([0], np.cumsum(each)))[self._heads])

    def between(self, low: int, high: int) -> HeldColumns:
        """What is told of the series from the `low`th up to, but without, the `high`th."""
        heads = self._heads[low : high + 1]
        rows, kinds = (each[heads[0] : heads[-1]] for each in (self._rows, self._kinds))
        distinct = sorted(np.unique(kinds).tolist(), key=self._metrics.__getitem__)
        places = np.zeros(max(distinct, default=0) + 1, dtype=np.int64)
        places[distinct] = np.arange(len(distinct))
        counts, wholes, fractions = self._table.totals[:, rows]
        # Zero added, so that which of the two zeros it is does not depend on the order.
        minima, maxima = self._table.ranges[:, rows] + 0.0
        bins_each, entries = self._entries(rows)
        return (
            _longs(self._measurements[low:high]),
            tuple(map(self._metrics.__getitem__, distinct)),
            _longs(np.diff(heads)),
            _longs(places[kinds]),
            _longs(counts),
            _longs(wholes),
            _longs(fractions),
            doubles(minima.tobytes()),
            doubles(maxima.tobytes()),
            _longs(bins_each),
            _longs(self._bins[entries]),
            _longs(self._table.bin_counts[entries]),
        )

    def _entries(self, rows: Integers) -> tuple[Integers, Integers]:
        """How many bins each of some rows has, and where they are."""
        starts = self._table.starts
        lengths = starts[rows + 1] - starts[rows]
        shifts = starts[rows] - (np.cumsum(lengths) - lengths)
        return lengths, np.arange(lengths.sum()) + np.repeat(shifts, lengths)

    def _bytes_of_names(self) -> Integers:
        distinct, places = np.unique(self._kinds, return_inverse=True)
        names = (self._metrics[code] for code in distinct.tolist())
        each = [bytes_of_metric_names((name,)) for name in names]
        return np.array(each, dtype=np.int64)[places]

    def _by_name(self, kinds: Integers) -> Integers:
        distinct, places = np.unique(kinds, return_inverse=True)
        names = [self._metrics[code] for code in distinct.tolist()]
        ranks = np.empty(len(names), dtype=np.int64)
        ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        return ranks[places]


def _longs(values: AnyIntegers) -> Longs:
    return longs(values.astype(np.int64).tobytes())
