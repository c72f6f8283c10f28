"""Records experiments: runs, their metrics and their ends; compares runs."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, SupportsFloat, SupportsIndex

from modeltrail.infra.clock import MICROS, Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.errors import RunAlreadyEnded, UnknownRun
from modeltrail.producers.eventlog.framing import newest_version
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.experiments.fold import RunHistory
from modeltrail.producers.experiments.metrics_datum import avro_string, metrics_datum
from modeltrail.producers.experiments.reader import ExperimentReader, LogExperimentReader
from modeltrail.producers.per_process import PerProcess
from modeltrail.producers.spooling.fact import pack_prefix
from modeltrail.producers.spooling.outbox import FULL_TIMEOUT_S, Outbox
from modeltrail.producers.values import finite, natural, to_json
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import MetricsLogged, RunEnded, RunStarted, RunStatus
from modeltrail.schemas.ids import ExperimentId, Micros, RunId, check_id, new_event_id
from modeltrail.schemas.topics import EXPERIMENTS, key_of

_STATUSES = {status.lower(): status for status in RunStatus if status is not RunStatus.UNKNOWN}
_LONGEST_DETAIL = 100_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run beside others; `duration_s` is up to now while it runs."""

    run_id: RunId
    experiment_id: ExperimentId
    config: Mapping[str, Any]
    final_metrics: Mapping[str, float]
    duration_s: float
    status: str


@dataclass(slots=True)
class _Run:
    run_id: RunId
    key: bytes
    avro_id: bytes
    prefix: bytes
    ended: bool = False


class ExperimentTracker:
    """Tracks runs; calls return once a fact is on disk, and it reaches Kafka from there.

    Safe to share between threads. No fact is lost while Kafka or the schema registry is away, nor
    when the process is killed (see `producers.spooling.spool` for the exact guarantee).
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        reader: ExperimentReader | None = None,
        clock: Clock | None = None,
        full_timeout_s: float = FULL_TIMEOUT_S,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            reader: where `compare_experiments` reads; None is the log.
            clock: None is the machine's.
            full_timeout_s: how long a call blocks while the spool is full, s.

        Raises:
            ConfigError: no Kafka or schema registry is configured.
        """
        self._settings = settings or load_settings()
        self._log = log or KafkaLog(self._settings.kafka)
        self._clock = clock or SystemClock()
        self._runs: dict[str, _Run] = {}
        self._latest: dict[str, _Run] = {}

        def ids() -> SchemaIds:
            return schema_ids or ConfluentSchemaIds(self._settings.schema_registry)

        ids()
        self._reader = PerProcess(lambda: reader or LogExperimentReader(self._log, Codec(ids())))
        self._outbox = Outbox(
            self._settings.experiment_tracking, self._log, ids, full_timeout_s=full_timeout_s
        )

    def start_experiment(
        self,
        experiment_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
    ) -> RunId:
        """Start a run of an experiment.

        Args:
            experiment_id: the experiment's name, 1 to 1,000 printable characters.
            config: what the run is made with; anything JSON can hold.
            run_id: a name of your own, unique for ever; None makes one.

        Raises:
            InvalidFact: an id or the config may not become a fact, or `run_id` is taken.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        experiment = ExperimentId(check_id("experiment_id", experiment_id))
        if run_id is None:
            run_id = f"{experiment[:80]}-{secrets.token_hex(6)}"
        run = _new_run(RunId(check_id("run_id", run_id)))
        if run.run_id in self._runs:
            raise InvalidFact(f"run_id {run_id[:80]!r} is taken: give another, or None")
        fact = RunStarted(
            event_id=new_event_id(),
            occurred_at=Micros(self._clock.now_us()),
            run_id=run.run_id,
            experiment_id=experiment,
            config_json=to_json("config", config),
        )
        self._outbox.put(EXPERIMENTS, run.key, fact)
        self._runs[run.run_id] = self._latest[experiment] = run
        return run.run_id

    def log_metrics(
        self, run_id: str, metrics: Mapping[str, SupportsFloat], step: SupportsIndex | None = None
    ) -> None:
        """Log metrics of a run.

        Steps may come in any order: a final metric is the value logged without a step, else the
        value at the highest step; of two values for one step the later call counts.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            metrics: finite numbers by name; numpy scalars will do.
            step: 0 or more; None logs final values.

        Raises:
            UnknownRun: this tracker did not start it.
            RunAlreadyEnded: it has ended.
            InvalidFact: a name, a value or the step may not become a fact.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._open_run(run_id)
        if (metrics.__class__ is not dict and not isinstance(metrics, Mapping)) or not metrics:
            raise InvalidFact("metrics is empty or no mapping: give numbers by name")
        datum = metrics_datum(
            new_event_id(),
            Micros(self._clock.now_us()),
            run.avro_id,
            None if step is None else natural("step", step),
            tuple(metrics),
            [
                # A float minus itself is 0 unless it is NaN or infinite.
                value if value.__class__ is float and value - value == 0.0 else finite(name, value)
                for name, value in metrics.items()
            ],
        )
        self._outbox.put_packed(run.prefix, datum)

    def end_experiment(self, run_id: str, status: str = "finished", detail: str = "") -> None:
        """End a run, and wait for Kafka up to `experiment_tracking.flush_timeout_s`.

        What Kafka has not taken by then stays on disk and is sent later.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            status: "finished", "failed" or "killed".
            detail: why, up to 100,000 characters.

        Raises:
            UnknownRun: this tracker did not start it.
            RunAlreadyEnded: it has ended before.
            InvalidFact: no such status, or the detail is too long.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._open_run(run_id)
        if not isinstance(status, str) or status.lower() not in _STATUSES:
            raise InvalidFact(f"status is {status!r:.80}: give one of {', '.join(_STATUSES)}")
        if not isinstance(detail, str) or len(detail) > _LONGEST_DETAIL:
            raise InvalidFact(
                f"detail is no string of up to {_LONGEST_DETAIL:,} characters: cut it"
            )
        fact = RunEnded(
            event_id=new_event_id(),
            occurred_at=Micros(self._clock.now_us()),
            run_id=run.run_id,
            status=_STATUSES[status.lower()],
            detail=detail,
        )
        self._outbox.put(EXPERIMENTS, run.key, fact)
        run.ended = True
        self.flush()

    def compare_experiments(self, run_ids: Sequence[str]) -> dict[str, Comparison]:
        """Configuration, final metrics and duration of runs, by the ids that were asked for.

        Args:
            run_ids: runs of any process; or experiments: the latest run of this tracker.

        Raises:
            UnknownRun: there is no such run.
            Unavailable: Kafka does not answer.
        """
        if not self.flush():
            raise Unavailable(
                "Kafka has not taken this tracker's facts yet: check `modeltrail status`, try again"
            )
        asked = {run_id: self._resolve(run_id) for run_id in run_ids}
        found = self._reader.get().runs(list(dict.fromkeys(asked.values())))
        if missing := [asked_id for asked_id, run_id in asked.items() if run_id not in found]:
            raise UnknownRun(f"no run {missing[0][:80]!r}: check the id that start_experiment gave")
        now = self._clock.now_us()
        return {
            asked_id: _comparison(run_id, found[run_id], now) for asked_id, run_id in asked.items()
        }

    def flush(self) -> bool:
        """Wait for Kafka up to `experiment_tracking.flush_timeout_s`; whether it has every fact."""
        return self._outbox.flush(self._settings.experiment_tracking.flush_timeout_s)

    def close(self) -> None:
        """Flush and stop the background thread; what Kafka has not taken stays on disk."""
        self._outbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_run(self, run_id: str) -> _Run:
        run = self._runs.get(run_id) or self._latest.get(run_id)
        if run is None:
            raise UnknownRun(
                f"this tracker started no run or experiment {run_id!r:.80}: "
                "call start_experiment, and use the id it gives"
            )
        if run.ended:
            raise RunAlreadyEnded(f"run {run.run_id[:80]!r} has ended: start another run")
        return run

    def _resolve(self, run_id: str) -> RunId:
        if run_id not in self._runs and run_id in self._latest:
            return self._latest[run_id].run_id
        return RunId(run_id)


def _new_run(run_id: RunId) -> _Run:
    key = key_of(run_id)
    record = MetricsLogged.record
    prefix = pack_prefix(EXPERIMENTS.name, key, record, newest_version(record))
    return _Run(run_id, key, avro_string(run_id), prefix)


def _comparison(run_id: RunId, run: RunHistory, now: int) -> Comparison:
    assert run.experiment_id is not None
    assert run.started_at is not None
    ended = run.ended_at if run.ended_at is not None else now
    return Comparison(
        run_id=run_id,
        experiment_id=run.experiment_id,
        config=json.loads(run.config_json),
        final_metrics={name: final.value for name, final in run.finals.items()},
        duration_s=max(0, ended - run.started_at) / MICROS,
        status=(run.status or "running").lower(),
    )
