"""Gives rows that are written as Python values their place in Kafka and their identity."""

from typing import Any
from uuid import UUID

import polars as pl

from modeltrail.sinks.projector.records import Source


def uuids(series: pl.Series) -> list[UUID]:
    """16 bytes each as UUIDs."""
    return [UUID(bytes=each) for each in series]


def origin_columns(frame: pl.DataFrame, source: Source) -> dict[str, list[Any]]:
    """Where in Kafka each row of `frame` lies."""
    return {
        "topic_id": [source.topic_id] * frame.height,
        "partition": [source.partition] * frame.height,
        "offset": frame["log_offset"].to_list(),
        "appended_at": frame["log_appended_ms"].to_list(),
    }
