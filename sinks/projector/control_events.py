"""Turns decoded control facts into rows: of the log, of metric points, and typed ones."""

from collections.abc import Mapping

import polars as pl

from modeltrail.schemas import events
from modeltrail.schemas.admission import TRUTH_IDS, Refusal, refuse_ids, refuse_pairs
from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.topics import EXPERIMENTS
from modeltrail.sinks.projector.deployment_facts import deployment_rows, node_rows
from modeltrail.sinks.projector.hexing import hexed_column
from modeltrail.sinks.projector.origin import origin_columns, uuids
from modeltrail.sinks.projector.records import Records, Source, TableRows, with_origin
from modeltrail.sinks.projector.typed_facts import seen_rows, typed_rows

EVENT_LOG = "event_log"
METRIC_POINTS = "experiment_metric_points"
# Requests are not here: the registry answers a bad one, and the log shows what it answered.
_IDS = {
    events.RunStarted.record: ("run_id", "experiment_id"),
    events.RunResumed.record: ("run_id",),
    events.ParamsLogged.record: ("run_id",),
    events.MetricsLogged.record: ("run_id",),
    events.ArtifactLogged.record: ("run_id",),
    events.RunTagSet.record: ("run_id",),
    events.RunHeartbeat.record: ("run_id",),
    events.RunEnded.record: ("run_id",),
    events.GroundTruthObserved.record: TRUTH_IDS,
    events.MeasurementsDropped.record: ("node_id", "session_id", "model_id"),
    events.NodeStarted.record: ("node_id",),
    events.NodeLoadedModel.record: ("node_id",),
    events.NodeReported.record: ("node_id",),
    events.NodeStopped.record: ("node_id",),
}
_OF_RUNS = frozenset(kind.record for kind in EXPERIMENTS.facts)
_PAIRED = (events.MetricsLogged.record, events.GroundTruthObserved.record)


def project_control_events(
    frames: Mapping[str, pl.DataFrame], records: Records
) -> tuple[list[TableRows], list[Refusal]]:
    """Check facts and give their rows: one insert for the log, one for each other table and kind.

    Args:
        frames: decoded facts by record.
        records: what they were decoded from.
    """
    refusals: list[Refusal] = []
    logged: list[pl.DataFrame] = []
    of_runs: list[pl.DataFrame] = []
    rows: list[TableRows] = []
    for record, decoded in frames.items():
        frame, bad = _check(record, with_origin(decoded, records, POSITION))
        refusals += bad
        if record == events.NodeReported.record:
            # A heartbeat every few seconds: the newest of each node is all that matters.
            rows += node_rows(record, frame, records.source)
            continue
        logged.append(_log_frame(record, frame))
        if record == events.MetricsLogged.record:
            rows.append(_metric_points(frame, records.source))
        if record in _OF_RUNS:
            of_runs.append(frame)
        rows += typed_rows(record, frame, records.source)
        rows += deployment_rows(record, frame, records.source)
        rows += node_rows(record, frame, records.source)
    rows += seen_rows(of_runs)
    if logged:
        rows.insert(0, _log_rows(pl.concat(logged).sort(POSITION), records))
    return [each for each in rows if len(each)], refusals


def _check(record: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    frame, refusals = refuse_ids(frame, _IDS.get(record, ()))
    if record not in _PAIRED:
        return frame, refusals
    frame, bad = refuse_pairs(frame, "names", "values")
    return frame, refusals + bad


def _log_frame(record: str, frame: pl.DataFrame) -> pl.DataFrame:
    origin = (POSITION, "log_offset", "log_appended_ms")
    hexed = pl.struct(
        hexed_column(pl.col(name), dtype).alias(name)
        for name, dtype in frame.schema.items()
        if name not in origin
    )
    return frame.select(
        *origin,
        "event_id",
        pl.lit(record.rpartition(".")[2]).alias("event_type"),
        hexed.struct.json_encode().alias("payload"),
    )


def _log_rows(frame: pl.DataFrame, records: Records) -> TableRows:
    keys = [records.keys[position] for position in frame[POSITION]]
    return TableRows(
        EVENT_LOG,
        "all",
        {
            "topic": [records.source.topic] * frame.height,
            **origin_columns(frame, records.source),
            "event_type": frame["event_type"].to_list(),
            "event_id": uuids(frame["event_id"]),
            "key": ["" if key is None else key.decode(errors="replace") for key in keys],
            "payload": frame["payload"].to_list(),
        },
    )


def _metric_points(frame: pl.DataFrame, source: Source) -> TableRows:
    points = (
        frame.with_columns(
            pl.int_ranges(pl.col("names").list.len(), dtype=pl.UInt32).alias("point")
        )
        .filter(pl.col("names").list.len() > 0)
        .explode("names", "values", "point")
    )
    return TableRows(
        METRIC_POINTS,
        "all",
        {
            "run_id": points["run_id"].to_list(),
            "name": points["names"].to_list(),
            "step": points["step"].to_list(),
            "value": points["values"].to_list(),
            "occurred_at": points["occurred_at"].to_list(),
            **origin_columns(points, source),
            "point": points["point"].to_list(),
            "event_id": uuids(points["event_id"]),
        },
    )
