"""Turns decoded MeasurementSampled facts into rows of `sample_rows`."""

import polars as pl

from modeltrail.schemas.admission import Refusal, refuse_pairs
from modeltrail.schemas.batch import POSITION
from modeltrail.sinks.projector.records import Records, TableRows, with_origin
from modeltrail.sinks.projector.rows import APPENDED_US, rows_by_month

TABLE = "sample_rows"


def project_samples(frame: pl.DataFrame, records: Records) -> tuple[list[TableRows], list[Refusal]]:
    """Check samples and split them by month of append, oldest first."""
    frame, refusals = refuse_pairs(with_origin(frame, records, POSITION), "names", "values")
    frame = frame.rename({"event_id": "event_id_bytes"})
    return rows_by_month(TABLE, frame, APPENDED_US, records.source), refusals
