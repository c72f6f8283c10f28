"""Adds measurements up: what one partition holds of each series in one bucket of 10 s."""

from typing import Any

import numpy as np

from modeltrail.processors.windows.columns import (
    MEASUREMENTS_CODE,
    Floats,
    Integers,
)
from modeltrail.processors.windows.kept import Kept, column_of
from modeltrail.processors.windows.sketches import NONE, Parts, Sketches, added_up, merged
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import bins_of, fixed_point, in_range

# A row of a table is a metric and a series, in this order so that columns come sorted; a key is
# that and a bin.
_SERIES_BITS = 24
_SERIES_MASK = (1 << _SERIES_BITS) - 1
_BIN_BITS = 20
_BIN_MASK = (1 << _BIN_BITS) - 1
_BIN_OFFSET = 1 << (_BIN_BITS - 1)
_MOST_SHORT_ROWS = 1 << (32 - _BIN_BITS)
# So many rows are added up at once: the more at a time, the fewer tables there are to merge.
_MOST_PENDING = 1 << 16
_MOST_TABLES = 16


class Tally:
    """The content of one bucket: tables of integers, and the rows that are not in them yet."""

    def __init__(self) -> None:
        self._pending: list[Kept] = []
        self._pending_rows = 0
        self._tables: list[Sketches] = []

    def add(self, rows: Kept) -> None:
        """Take measurements in."""
        self._pending.append(rows)
        self._pending_rows += len(rows)
        if self._pending_rows >= _MOST_PENDING:
            self._tabulate()
            if len(self._tables) >= _MOST_TABLES:
                self._tables = [merged(self._tables)]

    def add_values(self, series: Integers, metric: int, values: Floats) -> None:
        """Take values in that are no measurements."""
        self._tables.append(_table_of_values(_row(metric, series), values))

    def table(self) -> Sketches:
        """All that was taken in; rows are made of a series and a metric."""
        self._tabulate()
        self._tables = [merged(self._tables)]
        return self._tables[0]

    def _tabulate(self) -> None:
        if not self._pending:
            return
        parts, self._pending, self._pending_rows = self._pending, [], 0
        self._tables.append(_table_of_rows(parts))
        extras = [_row(part.extras.metrics, part.series[part.extras.rows]) for part in parts]
        if any(rows.size for rows in extras):
            values = np.concatenate([part.extras.values for part in parts])
            self._tables.append(_table_of_values(np.concatenate(extras), values))


def series_in(table: Sketches) -> Integers:
    """The code of the series of each row of a table."""
    return table.rows & _SERIES_MASK


def metrics_in(table: Sketches) -> Integers:
    """The code of the metric of each row of a table."""
    return table.rows >> _SERIES_BITS


def _row(metric: Any, series: Any) -> Any:
    return (metric << _SERIES_BITS) | series


def _table_of_rows(kept: list[Kept]) -> Sketches:
    """The counts of measurements and of the standard measures.

    Column by column, so that what is worked on stays in the cache.
    """
    series = np.concatenate([rows.series for rows in kept])
    order = np.argsort(series.astype(np.min_scalar_type(int(series.max()))), kind="stable")
    series = series[order]
    heads = _heads(series)
    counted = np.diff(np.append(heads, len(series)))
    nothing = np.zeros_like(counted)
    parts = [
        Parts(
            _row(MEASUREMENTS_CODE, series[heads]),
            np.stack((counted, nothing, nothing)),
            np.zeros((2, len(heads))),
            nothing,
            NONE.rows,
            NONE.rows,
        )
    ]
    for metric, name in enumerate(MEASURES, MEASUREMENTS_CODE + 1):
        if not any(name in rows.columns for rows in kept):
            continue
        values = column_of(name, kept).astype(np.float64)[order]
        taken = np.logical_not(np.isnan(values))
        if taken.all():
            parts.append(_part(_row(metric, series), values))
        elif taken.any():
            parts.append(_part(_row(metric, series[taken]), values[taken]))
    return added_up(parts)


def _table_of_values(rows: Integers, values: Floats) -> Sketches:
    taken = in_range(values)
    if not taken.any():
        return NONE
    rows, values = rows[taken], values[taken]
    order = np.argsort(rows, kind="stable")
    return added_up([_part(rows[order], values[order])])


def _part(rows: Integers, values: Floats) -> Parts:
    """Add values up, at least one, whose rows rise."""
    heads = _heads(rows)
    whole, fraction = fixed_point(values)
    lengths = np.diff(np.append(heads, len(rows)))
    # The number of a row here, not its name: half the bytes are sorted in half the time.
    kind = np.uint32 if len(heads) <= _MOST_SHORT_ROWS else np.uint64
    names = np.arange(len(heads)) << _BIN_BITS
    keys = np.repeat(names.astype(kind), lengths)
    keys |= (bins_of(values) + _BIN_OFFSET).astype(kind)
    keys.sort()
    firsts = _heads(keys)
    keys, counts = keys[firsts].astype(np.int64), np.diff(np.append(firsts, len(keys)))
    return Parts(
        rows[heads],
        np.stack(
            (
                lengths,
                np.add.reduceat(whole, heads),
                np.add.reduceat(fraction, heads),
            )
        ),
        np.stack((np.minimum.reduceat(values, heads), np.maximum.reduceat(values, heads))),
        np.diff(np.append(_heads(keys >> _BIN_BITS), len(keys))),
        (keys & _BIN_MASK) - _BIN_OFFSET,
        counts,
    )


def _heads(rising: Integers) -> Integers:
    """Where another value begins, of at least one."""
    return np.flatnonzero(np.concatenate(([True], rising[1:] != rising[:-1])))
