"""Starts and resumes runs of experiments, and compares them."""

import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.errors import UnknownRun
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.experiments.active_run import ActiveRun
from modeltrail.producers.experiments.capture import captured_json, user_name
from modeltrail.producers.experiments.comparing import compare, comparison_of
from modeltrail.producers.experiments.comparison import ExperimentComparison
from modeltrail.producers.experiments.open_run import OpenRun, open_run
from modeltrail.producers.experiments.reader import ExperimentReader, LogExperimentReader
from modeltrail.producers.experiments.recorder import RunRecorder
from modeltrail.producers.experiments.resuming import reopened
from modeltrail.producers.per_process import PerProcess
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.spooling.outbox import FULL_TIMEOUT_S, Outbox
from modeltrail.producers.values import to_json
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import RunResumed, RunStarted
from modeltrail.schemas.ids import ExperimentId, RunId, check_id, new_event_id
from modeltrail.schemas.metric_directions import HigherIsBetter
from modeltrail.schemas.topics import EXPERIMENTS


class ExperimentTracker(RunRecorder):
    """Tracks runs; calls return once a fact is on disk, and it reaches Kafka from there.

    Safe to share between threads. No fact is lost while Kafka or the schema registry is away, nor
    when the process is killed (see `producers.spooling.spool` for the exact guarantee). While a run
    is open, a thread appends a heartbeat each `experiment_tracking.heartbeat_s`: a run without any
    fact for three of them counts as lost.
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
        settings = settings or load_settings()
        tracking = settings.experiment_tracking
        known_log = log or KafkaLog(settings.kafka)

        def ids() -> SchemaIds:
            return schema_ids or ConfluentSchemaIds(settings.schema_registry)

        ids()
        super().__init__(
            Outbox(settings, known_log, ids, full_timeout_s=full_timeout_s),
            open_artifact_store(settings),
            clock or SystemClock(),
            heartbeat_s=tracking.heartbeat_s,
            flush_timeout_s=tracking.flush_timeout_s,
        )
        self._captures = tracking.capture
        self._log_reader = PerProcess(lambda: LogExperimentReader(known_log, Codec(ids())))
        self._reader = reader

    def start_experiment(
        self,
        experiment_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        parent_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        capture: bool = True,
    ) -> RunId:
        """Start a run of an experiment.

        Args:
            experiment_id: the experiment's name, 1 to 1,000 printable characters.
            config: what the run is made with; anything JSON can hold.
            run_id: a name of your own, unique for ever; None makes one.
            parent_run_id: the run that this one is nested in, of any process.
            tags: as `set_tag` takes them.
            capture: record commit, host, versions, seed and GPUs, unless
                `experiment_tracking.capture` is off.

        Raises:
            InvalidFact: an id, the config or a tag may not become a fact, or `run_id` is taken.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        return self._start(experiment_id, config, run_id, parent_run_id, tags, capture).run_id

    def run(
        self,
        experiment_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        parent_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        capture: bool = True,
    ) -> ActiveRun:
        """Start a run that ends with its `with` block; arguments as `start_experiment` has them."""
        run = self._start(experiment_id, config, run_id, parent_run_id, tags, capture)
        return ActiveRun(self, run)

    def resume(self, run_id: str, *, capture: bool = True) -> ActiveRun:
        """Go on with a run whose process died; what it left in the spool here is sent first.

        A run that is open in this tracker is given as it is. Nobody can see whether a process
        elsewhere still works on it: resume what is lost, not what runs.

        Args:
            run_id: the run, of any process.
            capture: as for `start_experiment`.

        Raises:
            UnknownRun: there is no such run in the log or the spool.
            RunAlreadyEnded: it has ended.
            Unavailable: Kafka does not answer, and the spool does not hold the run's start.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.by_id.get(run_id)
        if run is not None:
            return ActiveRun(self, self._runs.find_open(run_id))
        checked = RunId(check_id("run_id", run_id))
        run = reopened(checked, self._outbox, self._log_reader.get())
        fact = RunResumed(
            event_id=new_event_id(),
            occurred_at=self._now(),
            run_id=checked,
            environment_json=self._environment("{}", capture),
            heartbeat_s=self._heartbeat.interval_s,
            resumed_by=self._user(capture),
        )
        self._open(run, fact)
        return ActiveRun(self, run)

    def compare_experiments(
        self,
        run_ids: Sequence[str],
        *,
        higher_is_better: HigherIsBetter = None,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> ExperimentComparison:
        """Compare runs, by the ids that were asked for.

        Args:
            run_ids: runs of any process; or experiments: the latest run of this tracker.
            higher_is_better: which value of a metric is best: for all, or by name; otherwise names
                that stand for a loss, an error, a time or a cost are better the lower they are.
            groups: runs that repeat each other, by a name for the group; None finds finished runs
                of one experiment whose settings differ by the seed at most. Means of their final
                metrics come with the 95 % interval of Student's t.

        Raises:
            UnknownRun: there is no such run, or a group has one that is not in `run_ids`.
            Unavailable: Kafka does not answer.
        """
        if not self.flush():
            raise Unavailable(
                "Kafka has not taken this tracker's facts yet: check `modeltrail status`, try again"
            )
        asked = {run_id: self._runs.id_of(run_id) for run_id in run_ids}
        reader = self._reader or self._log_reader.get()
        found = reader.runs(list(dict.fromkeys(asked.values())))
        if missing := [asked_id for asked_id, run_id in asked.items() if run_id not in found]:
            raise UnknownRun(f"no run {missing[0][:80]!r}: check the id that start_experiment gave")
        now = self._clock.now_us()
        runs = {
            asked_id: comparison_of(run_id, found[run_id], now, higher_is_better)
            for asked_id, run_id in asked.items()
        }
        return compare(runs, groups)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(
        self,
        experiment_id: str,
        config: Mapping[str, Any] | None,
        run_id: str | None,
        parent_run_id: str | None,
        tags: Mapping[str, str] | None,
        capture: bool,
    ) -> OpenRun:
        experiment = ExperimentId(check_id("experiment_id", experiment_id))
        if run_id is None:
            run_id = f"{experiment[:80]}-{secrets.token_hex(6)}"
        run = open_run(RunId(check_id("run_id", run_id)), experiment)
        if run.run_id in self._runs.by_id:
            raise InvalidFact(f"run_id {run_id[:80]!r} is taken: give another, or None")
        if parent_run_id is not None and check_id("parent_run_id", parent_run_id) == run_id:
            raise InvalidFact(f"run {run_id[:80]!r} is its own parent: give another run, or None")
        config_json = to_json("config", config)
        marks = [self._tag(run, name, value) for name, value in (tags or {}).items()]
        started = RunStarted(
            event_id=new_event_id(),
            occurred_at=self._now(),
            run_id=run.run_id,
            experiment_id=experiment,
            config_json=config_json,
            parent_run_id=None if parent_run_id is None else RunId(parent_run_id),
            started_by=self._user(capture),
            environment_json=self._environment(config_json, capture),
            heartbeat_s=self._heartbeat.interval_s,
        )
        self._open(run, started)
        for mark in marks:
            self._outbox.put(EXPERIMENTS, run.key, mark)
        return run

    def _open(self, run: OpenRun, fact: RunStarted | RunResumed) -> None:
        self._outbox.put(EXPERIMENTS, run.key, fact)
        run.environment_json = fact.environment_json
        self._runs.add(run)
        self._heartbeat.add(run)

    def _environment(self, config_json: str, capture: bool) -> str:
        return captured_json(config_json) if capture and self._captures else ""

    def _user(self, capture: bool) -> str:
        return user_name() if capture and self._captures else ""
