"""Reads decoded fetches of the inference topic into the rows of one trial."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from modeltrail.processors.trials.fold import CANDIDATE_ARM, CHAMPION_ARM, Floats, Integers, Rows
from modeltrail.processors.trials.trial import Trial
from modeltrail.schemas.admission import APPENDED_MS, admit_measurements
from modeltrail.schemas.batch import POSITION, DecodedBatch
from modeltrail.schemas.events import InferenceMeasured
from modeltrail.schemas.ids import NodeId, SessionId
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.routing import CANDIDATE, CHAMPION

_ARM = "arm_code"
_CODE = "code"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A fetch of one partition: offset and append time (ms) of each record, and what they are."""

    offsets: Integers
    appended_ms: Integers
    decoded: DecodedBatch


class TrialReader:
    """Numbers the sessions and nodes of a trial in one partition as it meets them.

    Metrics that no registration declares are read like any other: only those that the policy names
    are looked at.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._sessions = _Numbered("session_id")
        self._nodes = _Numbered("node_id")

    def read(self, fetch: Fetch) -> Rows:
        """The rows of a fetch that belong to the trial."""
        frame = fetch.decoded.frames.get(InferenceMeasured.record)
        frame = pl.DataFrame() if frame is None else self._mine(frame, fetch)
        if frame.is_empty():
            return _no_rows(len(self._trial.metrics))
        return Rows(
            fetch.offsets[frame[POSITION].to_numpy()],
            self._sessions.codes(frame),
            self._nodes.codes(frame),
            frame[_ARM].to_numpy(),
            frame["captured_at"].to_numpy(),
            np.stack([_values(frame, metric) for metric in self._trial.metrics]),
        )

    def session(self, code: int) -> SessionId:
        """The session with that number."""
        return SessionId(self._sessions.name(code))

    def node(self, code: int) -> NodeId:
        """The node with that number."""
        return NodeId(self._nodes.name(code))

    def _mine(self, frame: pl.DataFrame, fetch: Fetch) -> pl.DataFrame:
        trial = self._trial
        champion = (pl.col("arm") == CHAMPION) & (pl.col("version") == (trial.champion or ""))
        candidate = (pl.col("arm") == CANDIDATE) & (pl.col("version") == trial.candidate)
        appended = fetch.appended_ms[frame[POSITION].to_numpy()]
        mine = frame.with_columns(pl.Series(APPENDED_MS, appended)).filter(
            pl.col("model_id") == trial.model_id,
            pl.col("environment") == trial.environment,
            pl.col(APPENDED_MS) >= trial.since_ms,
            champion | candidate,
        )
        if mine.is_empty():
            return mine
        admitted, _ = admit_measurements(mine, lambda *_: 0)
        is_candidate = pl.col("arm") == CANDIDATE
        code = pl.when(is_candidate).then(CANDIDATE_ARM).otherwise(CHAMPION_ARM).cast(pl.Int64)
        return admitted.with_columns(code.alias(_ARM))


class _Numbered:
    """Numbers for the strings of a column, from 0 in the order in which they first came."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._known = pl.DataFrame(schema={column: pl.String, _CODE: pl.Int64})

    def codes(self, frame: pl.DataFrame) -> Integers:
        """The number of each row."""
        codes = self._joined(frame)
        if codes.null_count():
            new = frame.filter(codes.is_null()).select(self._column).unique(maintain_order=True)
            numbers = pl.int_range(len(self._known), len(self._known) + len(new), dtype=pl.Int64)
            self._known = self._known.vstack(new.with_columns(numbers.alias(_CODE)))
            codes = self._joined(frame)
        return codes.to_numpy()

    def name(self, code: int) -> str:
        """The string with that number."""
        return str(self._known[self._column][code])

    def _joined(self, frame: pl.DataFrame) -> pl.Series:
        names = frame.select(self._column)
        return names.join(self._known, on=self._column, how="left", maintain_order="left")[_CODE]


def _values(frame: pl.DataFrame, metric: str) -> Floats:
    if metric in MEASURES:
        return frame[metric].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    values = np.full(frame.height, np.nan)
    lengths = frame["extra_names"].list.len().to_numpy()
    if lengths.any():
        named = (frame["extra_names"].explode(empty_as_null=False) == metric).to_numpy()
        rows = np.repeat(np.arange(frame.height), lengths)
        values[rows[named]] = frame["extra_values"].explode(empty_as_null=False).to_numpy()[named]
    return values


def _no_rows(metrics: int) -> Rows:
    none = np.zeros(0, dtype=np.int64)
    return Rows(none, none, none, none, none, np.zeros((metrics, 0)))
