"""Answers what the projector holds of Kafka records: one partition's, in offset order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modeltrail.schemas.events import DeadLetter

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Source:
    """A partition: `topic` is the name without prefix, `topic_id` 32 hex digits."""

    topic: str
    topic_id: str
    partition: int


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one partition: parallel, in offset order; `appended_ms` since the epoch."""

    source: Source
    offsets: Integers
    appended_ms: Integers
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of one insert: one table, one table partition (`part`), columns of equal length.

    `columnar`: every column is a numpy array, strings as bytes; otherwise lists of Python values.
    """

    table: str
    part: str
    columns: dict[str, Any]
    columnar: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True, slots=True)
class Projected:
    """What one range of one partition becomes, in the order in which it is inserted."""

    rows: tuple[TableRows, ...]
    dead_letters: tuple[DeadLetter, ...] = ()
    unreadable: int = 0


def with_origin(frame: pl.DataFrame, records: Records, position: str) -> pl.DataFrame:
    """`frame` with `log_offset` and `log_appended_ms` of the records that its rows came from."""
    at = frame[position].to_numpy()
    return frame.with_columns(
        pl.Series("log_offset", records.offsets[at]),
        pl.Series("log_appended_ms", records.appended_ms[at]),
    )
