"""Keeps of measurements what windows hold of them, in few bytes, until it is added up and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.columns import Extras, Flags, Floats, Integers, Rows
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.sketch import in_range

AnyFloats = npt.NDArray[np.floating[Any]]


@dataclass(slots=True)
class Kept:
    """Measurements in the order of the log.

    Attributes:
        times_ms: when each was appended.
        offsets: where in the log each is.
        series: code of the series of each.
        columns: of those measures that some row has, as narrow as they go: one value stands for a
            row each, NaN for none in range.
        extras: what was measured beyond that, in range or not.
    """

    times_ms: Integers
    offsets: Integers
    series: npt.NDArray[np.int32]
    columns: dict[str, AnyFloats]
    extras: Extras

    def __len__(self) -> int:
        return len(self.times_ms)

    def where(self, chosen: Flags) -> "Kept":
        """The flagged rows."""
        if chosen.all():
            return self
        return Kept(
            self.times_ms[chosen],
            self.offsets[chosen],
            self.series[chosen],
            {
                name: column if len(column) == 1 else column[chosen]
                for name, column in self.columns.items()
            },
            self.extras.where(chosen),
        )

    def between(self, low: int, high: int) -> "Kept":
        """The rows from `low` up to, but without, `high`."""
        places = np.arange(len(self))
        return self.where((low <= places) & (places < high))


def kept(rows: Rows) -> Kept:
    """What is kept of `rows`, at least one; their values are copied, so that a fetch can go."""
    flags = in_range(rows.values)
    values = np.where(flags, rows.values, np.nan)
    has_any: Flags = np.logical_or.reduce(flags, axis=1)
    return Kept(
        rows.times_ms,
        rows.offsets,
        rows.series.astype(np.int32),
        {
            name: _narrow(column)
            for name, column, is_there in zip(MEASURES, values, has_any, strict=True)
            if is_there
        },
        rows.extras,
    )


def column_of(name: str, parts: Sequence[Kept]) -> AnyFloats:
    """One column of all parts, a value a row, NaN where there is none."""
    missing: AnyFloats = np.full(1, np.nan, np.float32)
    columns = [part.columns.get(name, missing) for part in parts]
    found = np.empty(sum(map(len, parts)), np.result_type(*{column.dtype for column in columns}))
    end = 0
    # Fetches of few rows make many parts: to broadcast and concatenate takes ten times as long.
    for part, column in zip(parts, columns, strict=True):
        begin, end = end, end + len(part)
        found[begin:end] = column
    return found


def _narrow(column: Floats) -> AnyFloats:
    """The same values in fewer bytes where all of them fit; always a copy."""
    # Bits, not numbers: the two zeros are equal.
    bits = column.view(np.int64)
    if (bits == bits[0]).all():
        return column[:1].copy()
    single = column.astype(np.float32)
    return single if np.array_equal(single, column, equal_nan=True) else column.copy()
