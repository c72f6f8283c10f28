"""Turns decoded InferenceMeasured facts into rows of `measurement_rows`."""

import numpy as np
import polars as pl

from modeltrail.schemas.admission import DeclaredSince, Refusal, admit_measurements
from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.measures import MEASURES
from modeltrail.sinks.projector import columns
from modeltrail.sinks.projector.columns import Array
from modeltrail.sinks.projector.records import Records, Source, TableRows, with_origin
from modeltrail.sinks.projector.rows import APPENDED_US, split_by_month

TABLE = "measurement_rows"
_IDS = ("node_id", "session_id", "model_id", "version")
_REPEATING = (*_IDS, "execution_provider", "environment", "arm")
_NUMBERS = ("frame", "sampling_rate", *MEASURES, "captured_at")


def project_measurements(
    frame: pl.DataFrame, records: Records, declared_since: DeclaredSince
) -> tuple[list[TableRows], list[Refusal]]:
    """Check measurements and split them by month of append, oldest first."""
    frame, refusals = admit_measurements(with_origin(frame, records, POSITION), declared_since)
    return [
        TableRows(TABLE, month, _columns(rows, records.source), columnar=True)
        for month, rows in split_by_month(frame, APPENDED_US)
    ], refusals


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
