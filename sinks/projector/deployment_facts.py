"""Turns decoded facts about deployments and nodes into typed rows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from modeltrail.schemas import events
from modeltrail.sinks.projector.hexing import hexed_column
from modeltrail.sinks.projector.origin import origin_columns
from modeltrail.sinks.projector.records import Source, TableRows

DEPLOYMENT_ROWS = "deployment_rows"
NODE_STATE_ROWS = "node_state_rows"
_VERSION = ("deployment_id", "model_id", "version", "environment")


def deployment_rows(record: str, frame: pl.DataFrame, source: Source) -> list[TableRows]:
    """The rows of facts of one record that move deployments: one insert, or none.

    Args:
        record: full name of the record.
        frame: the facts with their origin.
        source: where they lie.
    """
    columns = _OF_DEPLOYMENTS.get(record)
    if columns is None:
        return []
    event_type = record.rpartition(".")[2]
    rows: dict[str, Any] = {
        "event_type": [event_type] * frame.height,
        **{column: _values(frame, field) for column, field in columns.items()},
        "occurred_at": frame["occurred_at"].to_list(),
        **origin_columns(frame, source),
        "event_id_bytes": frame["event_id"].to_list(),
    }
    # Each kind of fact is an insert of its own, under a token of its own.
    return [TableRows(DEPLOYMENT_ROWS, event_type, rows)]


def node_rows(record: str, frame: pl.DataFrame, source: Source) -> list[TableRows]:
    """The newest of these facts about the state of each node: one insert, or none."""
    columns = _OF_NODES.get(record)
    if columns is None:
        return []
    newest = frame.unique("node_id", keep="last", maintain_order=True)
    event_type = record.rpartition(".")[2]
    origin = origin_columns(newest, source)
    rows: dict[str, Any] = {
        "event_type": [event_type] * newest.height,
        **{column: _values(newest, column) for column in columns},
        **{name: origin[name] for name in ("appended_at", "partition", "offset")},
    }
    return [TableRows(NODE_STATE_ROWS, event_type, rows)]


def _values(frame: pl.DataFrame, field: str) -> list[Any]:
    dtype = frame.schema[field]
    values = frame.select(hexed_column(pl.col(field), dtype).alias(field))[field].to_list()
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return [[tuple(entry.values()) for entry in entries] for entries in values]
    if field == "caused_by":
        return ["" if value is None else value for value in values]
    return values


def _from(*same: str, **renamed: str) -> Mapping[str, str]:
    """Columns of the table by name, and the field that each comes from."""
    return MappingProxyType({**{name: name for name in same}, **renamed})


_OF_DEPLOYMENTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        events.DeploymentRequested.record: _from(
            *("model_id", "version", "environment", "policy_json", "reason"),
            deployment_id="event_id",
            actor="requested_by",
        ),
        events.DeploymentRequestRefused.record: _from(
            "model_id", deployment_id="request_id", kind="reason", reason="detail"
        ),
        events.StepStarted.record: _from(
            *(*_VERSION, "step", "number", "share", "deadline_at", "trial_metrics"),
            other_version="baseline_version",
        ),
        events.StepCompleted.record: _from(
            *(*_VERSION, "step", "number", "verdict", "reason", "evidence_json", "started_at")
        ),
        events.DeploymentSucceeded.record: _from(*_VERSION, other_version="replaced_version"),
        events.DeploymentFailed.record: _from(*_VERSION, "step", "reason"),
        events.DeploymentCancelled.record: _from(
            *_VERSION, "reason", actor="cancelled_by", caused_by="request_id"
        ),
        events.DeploymentRolledBack.record: _from(
            *(*_VERSION, "reason", "caused_by"), kind="cause", other_version="to_version"
        ),
    }
)
_OF_NODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        events.NodeReported.record: ("node_id", "environment", "heartbeat_s", "serves", "failing"),
        events.NodeStopped.record: ("node_id", "environment"),
    }
)
