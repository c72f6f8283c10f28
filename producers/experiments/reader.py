"""Reads what became of runs: the port, and a reader that needs nothing but the log."""

import logging
from collections.abc import Sequence
from typing import Protocol

from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.producers.experiments.fold import RunHistory, fold
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import MetricsLogged
from modeltrail.schemas.ids import RunId
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import EXPERIMENTS, key_of
from modeltrail.schemas.wire import schema_id_of

_LOG = logging.getLogger(__name__)


class ExperimentReader(Protocol):
    """Finds runs by id."""

    def runs(self, run_ids: Sequence[RunId]) -> dict[RunId, RunHistory]:
        """What became of these runs; those that are not known are left out.

        Raises:
            Unavailable: the source does not answer.
        """
        ...


class LogExperimentReader:
    """An `ExperimentReader` that reads the runs' partitions from their beginning.

    Right to the last fact, and slow on a large log: a database serves a fleet's history better.
    """

    def __init__(self, log: Log, codec: Codec) -> None:
        self._log = log
        self._codec = codec

    def runs(self, run_ids: Sequence[RunId]) -> dict[RunId, RunHistory]:
        """What became of these runs; those that are not known are left out."""
        found = self._read(run_ids, metrics=True)
        return {run_id: run for run_id, run in found.items() if run.started_at is not None}

    def run_without_metrics(self, run_id: RunId) -> RunHistory:
        """What became of one run but for its metrics, which take longest to read."""
        return self._read([run_id], metrics=False).get(run_id, RunHistory())

    def _read(self, run_ids: Sequence[RunId], *, metrics: bool) -> dict[RunId, RunHistory]:
        found: dict[RunId, RunHistory] = {}
        count = self._log.partitions(EXPERIMENTS)
        wanted = {key_of(run_id): run_id for run_id in run_ids}
        positions = dict.fromkeys({partition_of(key, count) for key in wanted}, 0)
        ends = self._log.end_offsets(EXPERIMENTS, tuple(positions))
        for record in read_to_end(self._log, EXPERIMENTS, positions, ends):
            run_id = wanted.get(record.key or b"")
            if run_id is None:
                continue
            value = record.value or b""
            try:
                if metrics or self._kind(value) != MetricsLogged.record:
                    run = found.get(run_id, RunHistory())
                    found[run_id] = fold(run, self._codec.decode(value), record.appended_at)
            except (DecodeError, ValueError) as error:
                # Whoever wrote it, it must not hide the others.
                _LOG.warning(
                    "skipped partition %d offset %d of the experiments topic: %s",
                    record.partition,
                    record.offset,
                    error,
                )
        return found

    def _kind(self, value: bytes) -> str:
        return self._codec.writer_of(schema_id_of(value)).record
