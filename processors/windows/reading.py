"""Reads decoded fetches of the inference topic into the columns that the fold takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from modeltrail.processors.windows.columns import (
    Codes,
    Columns,
    Extras,
    Floats,
    Identity,
    Integers,
    Measurements,
    Truth,
)
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.admission import (
    APPENDED_MS,
    DeclaredSince,
    admit_measurements,
    admit_truths,
)
from modeltrail.schemas.batch import POSITION, DecodedBatch
from modeltrail.schemas.events import GroundTruthObserved, InferenceMeasured
from modeltrail.schemas.ids import EVENT_ID_BYTES
from modeltrail.schemas.measures import MEASURES
from modeltrail.schemas.topics import INFERENCE

_SERIES = ("model_id", "version", "environment", "arm")
_CODE = "code"
# A join takes as long to begin as so many rows take to be looked up.
_FEW = 1000
_EXPECTED = frozenset(kind.record for kind in INFERENCE.facts)
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """A fetch of one partition: offset and append time (ms) of each record, and what they are."""

    offsets: Integers
    appended_ms: Integers
    decoded: DecodedBatch


class BatchReader:
    """Admits what the projector admits, and numbers the series and metrics that it meets."""

    def __init__(self, series: Codes[Series], metrics: Codes[str], sampling_rate: float) -> None:
        self._series = series
        self._metrics = metrics
        self._sampled_below = sampling_rate * 65536
        self._known = pl.DataFrame(schema={**dict.fromkeys(_SERIES, pl.String), _CODE: pl.Int64})

    def read(self, batch: Batch, declared_since: DeclaredSince) -> Columns:
        """The columns of a fetch.

        Args:
            batch: what was fetched.
            declared_since: when extra metrics were declared, complete up to the batch's last append
                time.
        """
        frames = batch.decoded.frames
        refused = [reject.position for reject in batch.decoded.rejects]
        for record in frames.keys() - _EXPECTED:
            refused += frames[record][POSITION].to_list()
        measurements = NO_MEASUREMENTS
        truths: tuple[Truth, ...] = ()
        if (frame := frames.get(InferenceMeasured.record)) is not None:
            appended = batch.appended_ms[frame[POSITION].to_numpy()]
            frame = frame.with_columns(pl.Series(APPENDED_MS, appended))
            frame, bad = admit_measurements(frame, declared_since)
            refused += [refusal.position for refusal in bad]
            measurements = self._measurements(frame)
        if (frame := frames.get(GroundTruthObserved.record)) is not None:
            frame, bad = admit_truths(frame)
            refused += [refusal.position for refusal in bad]
            truths = _truths(frame)
        return Columns(
            batch.offsets,
            batch.appended_ms,
            np.array(sorted(refused), dtype=np.int64),
            measurements,
            truths,
        )

    def _measurements(self, frame: pl.DataFrame) -> Measurements:
        return Measurements(
            frame[POSITION].to_numpy().astype(np.int64),
            self._series_codes(frame),
            frame["captured_at"].to_numpy(),
            _values(frame),
            self._extras(frame),
            self._sampled_rows(frame),
            lambda rows: _identities(frame, rows),
        )

    def _series_codes(self, frame: pl.DataFrame) -> Integers:
        names = frame[list(_SERIES)]
        if len(names) <= _FEW:
            columns = [column.to_list() for column in names]
            series = cast(Iterator[Series], zip(*columns, strict=True))
            return np.fromiter(map(self._series.of, series), np.int64, len(names))
        codes = self._joined(names)
        if codes.null_count():
            new = names.filter(codes.is_null()).unique(maintain_order=True)
            numbers = [self._series.of(cast(Series, series)) for series in new.iter_rows()]
            new = new.with_columns(pl.Series(_CODE, numbers))
            self._known = pl.concat([self._known, new], rechunk=True)
            codes = self._joined(names)
        return codes.to_numpy()

    def _joined(self, names: pl.DataFrame) -> pl.Series:
        return names.join(self._known, on=_SERIES, how="left", maintain_order="left")[_CODE]

    def _extras(self, frame: pl.DataFrame) -> Extras:
        lengths = frame["extra_names"].list.len().to_numpy()
        if not lengths.any():
            return NO_EXTRAS
        names = frame["extra_names"].explode(empty_as_null=False)
        distinct = names.unique()
        codes = pl.Series([self._metrics.of(name) for name in distinct], dtype=pl.Int64)
        return Extras(
            np.repeat(np.arange(frame.height), lengths),
            names.replace_strict(distinct, codes).to_numpy(),
            frame["extra_values"].explode(empty_as_null=False).to_numpy(),
        )

    def _sampled_rows(self, frame: pl.DataFrame) -> Integers:
        if not self._sampled_below:
            return _NONE
        ids = np.frombuffer(b"".join(frame["event_id"]), dtype=">u2")
        return np.flatnonzero(ids[:: EVENT_ID_BYTES // 2] < self._sampled_below)


def _values(frame: pl.DataFrame) -> Floats:
    values = np.empty((len(MEASURES), frame.height))
    for column, name in zip(values, MEASURES, strict=True):
        series = frame[name]
        column[:] = np.nan if series.null_count() == len(series) else series.to_numpy()
    return values


def _identities(frame: pl.DataFrame, rows: Integers) -> list[Identity]:
    found = frame.select("event_id", "node_id", "session_id", "frame")[rows]
    return [Identity(*row) for row in found.iter_rows()]


def _truths(frame: pl.DataFrame) -> tuple[Truth, ...]:
    columns = (POSITION, "model_id", "node_id", "session_id", "frame", "names", "values")
    return tuple(
        Truth(position, model_id, node_id, session_id, number, tuple(names), tuple(values))
        for position, model_id, node_id, session_id, number, names, values in frame.select(
            columns
        ).iter_rows()
    )


NO_EXTRAS = Extras(_NONE, _NONE, np.zeros(0))
NO_MEASUREMENTS = Measurements(
    _NONE, _NONE, _NONE, np.zeros((len(MEASURES), 0)), NO_EXTRAS, _NONE, lambda _: []
)
