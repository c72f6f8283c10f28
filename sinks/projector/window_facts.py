"""Turns decoded facts of the windows topic into rows: a table for each kind of fact.

Fleets close thousands of windows a second, so everything here works on whole columns.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from modeltrail.schemas import events
from modeltrail.schemas.admission import Refusal, refuse
from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.column_fit import BIN_LIMIT
from modeltrail.schemas.events import DeadLetterReason
from modeltrail.sinks.projector.records import Records, TableRows, with_origin
from modeltrail.sinks.projector.rows import rows_by_month

_SERIES = ("model_id", "version", "environment", "arm")
_SPAN = ("window", "start", "end")
_STATISTICS = (
    "count",
    "sum_whole",
    "sum_fraction",
    "mean",
    "min",
    "max",
    "p50",
    "p95",
    "p99",
    "bins",
    "counts",
)
_DISTANCES = (
    "kind",
    "psi",
    "js",
    "statistic",
    "p_value",
    "adjusted_p_value",
    "samples",
    "effective_samples",
    "drifted",
    "streak",
)
# Every partition of windows is told the same of every source partition: one copy is enough.
_TOLD_PARTITION = 0


def project_window_facts(
    frames: Mapping[str, pl.DataFrame], records: Records
) -> tuple[list[TableRows], list[Refusal]]:
    """The rows of facts about windows, by table and month, oldest first; and which are none.

    Args:
        frames: decoded facts by record.
        records: what they were decoded from.
    """
    rows: list[TableRows] = []
    refusals: list[Refusal] = []
    for record, frame in frames.items():
        if record == events.WindowClosed.record:
            frame, refusals = refuse(frame, *_MISFIT)
        table, time_us, shape = PROJECTIONS[record]
        shaped = with_origin(shape(frame), records, POSITION)
        rows += rows_by_month(table, shaped, time_us, records.source)
    return rows, refusals


def _windows(frame: pl.DataFrame) -> pl.DataFrame:
    return _entries(
        frame.select(POSITION, *_SERIES, *_SPAN, "final", "measurements", "metrics", _EVENT_ID),
        "metrics",
        "metric",
        _STATISTICS,
    )


def _drift(frame: pl.DataFrame) -> pl.DataFrame:
    profile = pl.col("profile_id").alias("profile_id_bytes")
    return _entries(
        frame.select(POSITION, *_SERIES, *_SPAN, profile, "features", _EVENT_ID),
        "features",
        "feature",
        _DISTANCES,
    )


def _change_points(frame: pl.DataFrame) -> pl.DataFrame:
    about = ("metric", "end", "mean_before", "mean_after", "worse")
    return frame.select(POSITION, *_SERIES, *about, _EVENT_ID)


def _breaches(frame: pl.DataFrame) -> pl.DataFrame:
    source = ("source_partition", "source_offset", "captured_at", "node_id", "session_id", "frame")
    appended_at = pl.col("appended_at").alias("source_appended_at")
    about = ("rule", "metric", "value")
    return frame.select(POSITION, *_SERIES, *source, appended_at, *about, _EVENT_ID)


def _progress(frame: pl.DataFrame) -> pl.DataFrame:
    told = frame.filter(pl.col("partition") == _TOLD_PARTITION)
    return told.select(pl.exclude("partition", "event_id"), _EVENT_ID)


def _entries(frame: pl.DataFrame, column: str, name: str, fields: tuple[str, ...]) -> pl.DataFrame:
    """One row an entry of the list of structs in `column`; a fact without entries has none."""
    entry = pl.col(column).struct
    return (
        frame.explode(column, empty_as_null=False)
        .with_columns(entry.field("name").alias(name), *(entry.field(each) for each in fields))
        .drop(column)
    )


def _has_misfit() -> pl.Expr:
    """Whether the bins of a metric do not fit their counts: `schemas.column_fit` in columns."""
    bins, counts = map(pl.element().struct.field, ("bins", "counts"))
    uneven = bins.list.len() != counts.list.len()
    too_far = (bins.list.min() <= -BIN_LIMIT) | (bins.list.max() >= BIN_LIMIT)
    return pl.col("metrics").list.eval(uneven | too_far | (counts.list.min() < 0)).list.any()


_MISFIT = (
    _has_misfit(),
    DeadLetterReason.INVALID_FACT,
    "the bins of a metric do not fit its counts: find who wrote it there",
)
_EVENT_ID = pl.col("event_id").alias("event_id_bytes")

#: By record: the table, the time whose month partitions it, and what its rows are made by.
PROJECTIONS: Mapping[str, tuple[str, pl.Expr, Callable[[pl.DataFrame], pl.DataFrame]]] = (
    MappingProxyType(
        {
            events.WindowClosed.record: ("window_rows", pl.col("end"), _windows),
            events.DriftMeasured.record: ("drift_rows", pl.col("end"), _drift),
            events.ChangePointDetected.record: ("change_point_rows", pl.col("end"), _change_points),
            events.ValueBreached.record: (
                "value_breach_rows",
                pl.col("source_appended_at"),
                _breaches,
            ),
            events.PartitionAdvanced.record: (
                "window_progress_rows",
                pl.col("advanced_to"),
                _progress,
            ),
        }
    )
)
