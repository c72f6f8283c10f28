"""Gives what gathers rows a common view of a batch: its columns, groups and lots."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of rows.

    Attributes:
        columns: by name.
        groups: of each row; of rows without all labels it means nothing.
        labelled: which rows have all labels.
        lots: of each row, None where rows are independent.
    """

    columns: Mapping[str, pa.Array]
    groups: Codes
    labelled: Flags
    lots: Codes | None

    def lots_of(self, chosen: Flags) -> Codes | None:
        """The lots of some rows."""
        return None if self.lots is None else self.lots[chosen]


@dataclass(slots=True)
class Tally:
    """How many rows came, were judged, and were left out of fairness, by the reason."""

    rows: int = 0
    judged: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    unusual: dict[str, int] = field(default_factory=dict)

    def leave_out(self, why: str, rows: int) -> None:
        """Count rows that are not judged."""
        if rows:
            self.left_out[why] = self.left_out.get(why, 0) + rows

    def note_unusual(self, column: str, rows: int) -> None:
        """Count rows whose value in a column is none that can be used."""
        if rows:
            self.unusual[column] = self.unusual.get(column, 0) + rows
