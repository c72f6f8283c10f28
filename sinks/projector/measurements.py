"""Turns decoded InferenceMeasured facts into rows of `measurement_rows`."""

from collections.abc import Callable

import numpy as np
import polars as pl

from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.events import DeadLetterReason
from modeltrail.schemas.ids import MOST_DECLARED_METRICS
from modeltrail.sinks.projector import columns
from modeltrail.sinks.projector.checks import (
    refuse,
    refuse_ids,
    refuse_non_finite,
    refuse_pairs,
    refuse_times,
)
from modeltrail.sinks.projector.columns import Array
from modeltrail.sinks.projector.records import Records, Refusal, Source, TableRows, with_origin

TABLE = "measurement_rows"
_IDS = ("node_id", "session_id", "model_id", "version")
_REPEATING = (*_IDS, "execution_provider", "environment", "arm")
_NUMBERS = (
    "frame",
    "sampling_rate",
    "detect_ms",
    "mark_ms",
    "align_ms",
    "mask_ms",
    "merge_ms",
    "output_ms",
    "latency_ms",
    "fps",
    "dropped_frames",
    "faces",
    "detection_score",
    "faces_unmasked",
    "mask_coverage",
    "luma_mean",
    "luma_std",
    "laplacian_var",
    "face_size",
    "captured_at",
)

DeclaredSince = Callable[[str, str, tuple[str, ...]], int | None]
"""(model_id, version, names) to the append time, ms, since which all names are declared."""


def project_measurements(
    frame: pl.DataFrame, records: Records, declared_since: DeclaredSince
) -> tuple[list[TableRows], list[Refusal]]:
    """Check measurements and split them by month of append, oldest first."""
    frame = with_origin(frame, records, POSITION)
    refusals: list[Refusal] = []
    for check in (
        lambda rows: refuse_ids(rows, _IDS),
        refuse_non_finite,
        lambda rows: refuse_pairs(rows, "extra_names", "extra_values", most=MOST_DECLARED_METRICS),
        lambda rows: refuse_times(rows, "captured_at"),
        lambda rows: _refuse_undeclared(rows, declared_since),
    ):
        frame, bad = check(frame)
        refusals += bad
    return [
        TableRows(TABLE, month, _columns(rows, records.source), columnar=True)
        for month, rows in by_month(frame)
    ], refusals


def by_month(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Split by the month of `appended_ms`, as the table is partitioned; oldest first."""
    if frame.is_empty():
        return []
    month = pl.from_epoch("log_appended_ms", time_unit="ms").dt.strftime("%Y%m")
    first, last = frame["log_appended_ms"].min(), frame["log_appended_ms"].max()
    edges = pl.DataFrame({"log_appended_ms": [first, last]}).select(month)["log_appended_ms"]
    if edges[0] == edges[1]:
        return [(edges[0], frame)]
    parts = frame.with_columns(month.alias("month")).partition_by("month", as_dict=True)
    return sorted((str(key[0]), part.drop("month")) for key, part in parts.items())


def _refuse_undeclared(
    frame: pl.DataFrame, declared_since: DeclaredSince
) -> tuple[pl.DataFrame, list[Refusal]]:
    refusals: list[Refusal] = []
    extras = frame.filter(pl.col("extra_names").list.len() > 0)
    groups = (
        extras.select("model_id", "version", "extra_names").unique().sort("model_id", "version")
    )
    for model_id, version, names in groups.iter_rows():
        since = declared_since(model_id, version, tuple(names))
        same = (
            (pl.col("model_id") == model_id)
            & (pl.col("version") == version)
            & (pl.col("extra_names") == pl.lit(names, dtype=pl.List(pl.String)))
        )
        frame, bad = refuse(
            frame,
            same if since is None else same & (pl.col("log_appended_ms") < since),
            DeadLetterReason.UNDECLARED_METRIC,
            f"{model_id} {version} did not declare all of {', '.join(sorted(names))[:500]}: "
            "register the model with declared_metrics before nodes measure them",
        )
        refusals += bad
    return frame, refusals


def _columns(frame: pl.DataFrame, source: Source) -> dict[str, Array]:
    height = frame.height
    found: dict[str, Array | None] = {
        **{name: columns.numbers(frame[name]) for name in _NUMBERS},
        **{name: columns.repeating_strings(frame[name]) for name in _REPEATING},
        "offset": frame["log_offset"].to_numpy(),
        "appended_at": frame["log_appended_ms"].to_numpy(),
        "artifact_sha256": columns.repeating_digests(frame["artifact_sha256"]),
        "extra_names": columns.text_lists(frame["extra_names"]),
        "extra_values": columns.lists(frame["extra_values"]),
        "topic_id": columns.constant(source.topic_id.encode(), height),
        "partition": np.full(height, source.partition, dtype=np.uint32),
        "event_id_bytes": columns.byte_strings(frame["event_id"]),
    }
    return {name: values for name, values in found.items() if values is not None}
