"""Turns frames whose columns are those of a table into inserts: one a month, the oldest first."""

import numpy as np
import polars as pl

from modeltrail.schemas.batch import POSITION
from modeltrail.sinks.projector import columns
from modeltrail.sinks.projector.records import Source, TableRows

APPENDED_US = pl.col("log_appended_ms") * 1000


def rows_by_month(
    table: str, frame: pl.DataFrame, time_us: pl.Expr, source: Source
) -> list[TableRows]:
    """The inserts that `frame` becomes.

    Args:
        table: partitioned by the month of `time_us`.
        frame: the table's columns as they are decoded, with position and origin.
        time_us: microseconds since the epoch.
        source: where the facts lie.
    """
    return [
        TableRows(table, month, _columns(part, source), columnar=True)
        for month, part in split_by_month(frame, time_us)
    ]


def split_by_month(frame: pl.DataFrame, time_us: pl.Expr) -> list[tuple[str, pl.DataFrame]]:
    """Split by the month of a time, in UTC, as the tables are partitioned; oldest first."""
    if frame.is_empty():
        return []
    bounds = frame.select(first=_month(time_us.min()), last=_month(time_us.max()))
    first, last = bounds.row(0)
    if first == last:
        return [(first, frame)]
    parts = frame.with_columns(_month(time_us).alias("month")).partition_by("month", as_dict=True)
    return sorted((str(key[0]), part.drop("month")) for key, part in parts.items())


def _month(time_us: pl.Expr) -> pl.Expr:
    return pl.from_epoch(time_us, time_unit="us").dt.strftime("%Y%m")


def _columns(frame: pl.DataFrame, source: Source) -> dict[str, columns.Array]:
    return {
        **columns.of_frame(frame.drop(POSITION, "log_offset", "log_appended_ms")),
        "offset": frame["log_offset"].to_numpy(),
        "appended_at": frame["log_appended_ms"].to_numpy(),
        "topic_id": columns.constant(source.topic_id.encode(), frame.height),
        "partition": np.full(frame.height, source.partition, dtype=np.uint32),
    }
