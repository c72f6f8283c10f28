"""Turns decoded facts about models and runs into typed rows, so that no query has to read JSON."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import polars as pl

from modeltrail.schemas import events
from modeltrail.sinks.projector.origin import origin_columns
from modeltrail.sinks.projector.records import Source, TableRows

RUN_ROWS = "run_rows"
RUN_SEEN_ROWS = "run_seen_rows"
REGISTRY_ROWS = "registry_rows"
_ARTIFACT = ("artifact_uri", "artifact_sha256", "artifact_size")
_LINEAGE = (
    *("run_id", "dataset", "dataset_fingerprint", "git_commit", "environment_lock"),
    *("parent_model_id", "parent_version"),
)


def typed_rows(record: str, frame: pl.DataFrame, source: Source) -> list[TableRows]:
    """The rows that facts of one record become besides those of the log: one insert, or none.

    Args:
        record: full name of the record.
        frame: the facts with their origin.
        source: where they lie.
    """
    table = RUN_ROWS if record in _OF_RUNS else REGISTRY_ROWS
    columns = _OF_RUNS.get(record) or _OF_MODELS.get(record)
    if columns is None:
        return []
    event_type = record.rpartition(".")[2]
    rows: dict[str, Any] = {
        "event_type": [event_type] * frame.height,
        **{column: _values(frame[field]) for column, field in columns.items()},
        "occurred_at": frame["occurred_at"].to_list(),
        **origin_columns(frame, source),
        "event_id_bytes": frame["event_id"].to_list(),
    }
    # Each kind of fact is an insert of its own, under a token of its own.
    return [TableRows(table, event_type, rows)]


def seen_rows(frames: Sequence[pl.DataFrame]) -> list[TableRows]:
    """When Kafka appended the newest of some facts of each run: one insert, or none."""
    if not frames:
        return []
    seen = (
        pl.concat(frame.select("run_id", "log_appended_ms") for frame in frames)
        .group_by("run_id", maintain_order=True)
        .agg(pl.col("log_appended_ms").max())
    )
    columns = {"run_id": seen["run_id"].to_list(), "seen_at": seen["log_appended_ms"].to_list()}
    return [TableRows(RUN_SEEN_ROWS, "all", columns)]


def _values(series: pl.Series) -> list[Any]:
    if series.dtype == pl.Binary:
        return series.bin.encode("hex").to_list()
    if series.dtype == pl.List(pl.Struct):
        return [[tuple(entry.values()) for entry in entries] for entries in series.to_list()]
    return series.to_list()


def _from(*same: str, **renamed: str) -> Mapping[str, str]:
    """Columns of a table by name, and the field that each comes from."""
    return MappingProxyType({**{name: name for name in same}, **renamed})


_OF_RUNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        events.RunStarted.record: _from(
            *("run_id", "experiment_id", "parent_run_id", "environment_json", "heartbeat_s"),
            params_json="config_json",
            actor="started_by",
        ),
        events.RunResumed.record: _from(
            "run_id", "environment_json", "heartbeat_s", actor="resumed_by"
        ),
        events.ParamsLogged.record: _from("run_id", "params_json"),
        events.ArtifactLogged.record: _from("run_id", "name", *_ARTIFACT),
        events.RunTagSet.record: _from("run_id", "name", "value", actor="set_by"),
        events.RunEnded.record: _from("run_id", "status", "detail"),
    }
)
_OF_MODELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        events.ModelRegistered.record: _from(
            *("model_id", "version", *_ARTIFACT, "metadata_json", "declared_metrics"),
            *("tensors", "opsets", *_LINEAGE),
            actor="requested_by",
        ),
        events.AliasAssigned.record: _from(
            "model_id", "version", "reason", name="alias", actor="assigned_by"
        ),
        events.AliasRemoved.record: _from("model_id", "reason", name="alias", actor="removed_by"),
        events.ModelTagSet.record: _from(
            "model_id", "version", "name", "value", "reason", actor="set_by"
        ),
        events.ModelArchived.record: _from("model_id", "version", "reason", actor="archived_by"),
        events.ModelRestored.record: _from("model_id", "version", "reason", actor="restored_by"),
        events.ModelErased.record: _from("model_id", "version", "reason", actor="erased_by"),
    }
)
