"""Records what happens in the runs of a tracker: metrics, parameters, tags, files, their end."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex

from modeltrail.infra.clock import Clock
from modeltrail.producers.experiments.event_ids import EventIds
from modeltrail.producers.experiments.heartbeat import Heartbeat
from modeltrail.producers.experiments.metrics_datum import metrics_datum
from modeltrail.producers.experiments.open_run import OpenRun, OpenRuns
from modeltrail.producers.registry.artifacts import Artifact, ArtifactStore
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.producers.values import LARGEST_LONG, finite, natural, to_json
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    ArtifactLogged,
    ParamsLogged,
    RunEnded,
    RunHeartbeat,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import Micros, check_id, new_event_id
from modeltrail.schemas.topics import EXPERIMENTS

_STATUSES = {status.lower(): status for status in RunStatus if status is not RunStatus.UNKNOWN}
LONGEST_DETAIL = 100_000
_LONGEST_TAG = 5000


class RunRecorder:
    """What can be said about runs that were started; `ExperimentTracker` starts them."""

    def __init__(
        self,
        outbox: Outbox,
        store: ArtifactStore,
        clock: Clock,
        *,
        heartbeat_s: float,
        flush_timeout_s: float,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._clock = clock
        self._flush_timeout_s = flush_timeout_s
        self._runs = OpenRuns()
        self._event_ids = EventIds()
        self._heartbeat = Heartbeat(self._beat, heartbeat_s)

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
            UnknownRun: this tracker did not start or resume it.
            RunAlreadyEnded: it has ended.
            InvalidFact: a name, a value or the step may not become a fact.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.find_open(run_id)
        if (metrics.__class__ is not dict and not isinstance(metrics, Mapping)) or not metrics:
            raise InvalidFact("metrics is empty or no mapping: give numbers by name")
        values = _finite_values(metrics)
        if step is not None and (step.__class__ is not int or not 0 <= step <= LARGEST_LONG):
            step = natural("step", step)
        datum = metrics_datum(
            self._event_ids.take(), self._clock.now_us(), run.avro_id, step, tuple(metrics), values
        )
        self._outbox.put_packed(run.prefix, datum)

    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Log parameters that became known after the start; of one name the later call counts.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            params: anything JSON can hold, by name.

        Raises:
            UnknownRun: this tracker did not start or resume it.
            RunAlreadyEnded: it has ended.
            InvalidFact: empty, or nothing that JSON can hold.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.find_open(run_id)
        if not params:
            raise InvalidFact("params is empty: give values by name")
        fact = ParamsLogged(new_event_id(), self._now(), run.run_id, to_json("params", params))
        self._outbox.put(EXPERIMENTS, run.key, fact)

    def set_tag(self, run_id: str, name: str, value: str | None) -> None:
        """Set a tag of a run, also after its end; None removes it.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            name: 1 to 1,000 printable characters.
            value: up to 5,000 characters.

        Raises:
            UnknownRun: this tracker did not start or resume it.
            InvalidFact: the name or the value may not become a fact.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.find(run_id)
        self._outbox.put(EXPERIMENTS, run.key, self._tag(run, name, value))

    def log_artifact(
        self, run_id: str, path: str | os.PathLike[str], name: str | None = None
    ) -> Artifact:
        """Store a file of a run in the artifact store, under the SHA-256 of its content.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            path: any file up to `model_registry.max_artifact_mb`.
            name: what the run calls it, 1 to 1,000 printable characters; None is the file's name.

        Raises:
            UnknownRun: this tracker did not start or resume it.
            RunAlreadyEnded: it has ended.
            InvalidFact: the name may not become a fact.
            ArtifactNotFound: no readable file at `path`.
            ArtifactTooLarge: above the limit.
            ArtifactStoreUnavailable: the store does not answer or refuses.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.find_open(run_id)
        name = check_id("artifact name", Path(path).name if name is None else name)
        stored = self._store.put(path)
        fact = ArtifactLogged(
            event_id=new_event_id(),
            occurred_at=self._now(),
            run_id=run.run_id,
            name=name,
            artifact_uri=stored.uri,
            artifact_sha256=stored.sha256,
            artifact_size=stored.size,
        )
        self._outbox.put(EXPERIMENTS, run.key, fact)
        return stored

    def end_experiment(self, run_id: str, status: str = "finished", detail: str = "") -> None:
        """End a run, and wait for Kafka up to `experiment_tracking.flush_timeout_s`.

        What Kafka has not taken by then stays on disk and is sent later.

        Args:
            run_id: the run, or an experiment: its latest run of this tracker.
            status: "finished", "failed" or "killed".
            detail: why, up to 100,000 characters.

        Raises:
            UnknownRun: this tracker did not start or resume it.
            RunAlreadyEnded: it has ended before.
            InvalidFact: no such status, or the detail is too long.
            SpoolFull: Kafka is away and the spool stayed full.
        """
        run = self._runs.find_open(run_id)
        if not isinstance(status, str) or status.lower() not in _STATUSES:
            raise InvalidFact(f"status is {status!r:.80}: give one of {', '.join(_STATUSES)}")
        if not isinstance(detail, str) or len(detail) > LONGEST_DETAIL:
            raise InvalidFact(f"detail is no string of up to {LONGEST_DETAIL:,} characters: cut it")
        ended = RunEnded(new_event_id(), self._now(), run.run_id, _STATUSES[status.lower()], detail)
        self._outbox.put(EXPERIMENTS, run.key, ended)
        run.ended = True
        self._heartbeat.remove(run)
        self.flush()

    def flush(self) -> bool:
        """Wait for Kafka up to `experiment_tracking.flush_timeout_s`; whether it has every fact."""
        return self._outbox.flush(self._flush_timeout_s)

    def close(self) -> None:
        """Flush and stop the background threads; what Kafka has not taken stays on disk.

        Runs that have not ended have no heartbeat any more.
        """
        self._heartbeat.close()
        self._outbox.close()

    def _tag(self, run: OpenRun, name: str, value: str | None) -> RunTagSet:
        if value is not None and (not isinstance(value, str) or len(value) > _LONGEST_TAG):
            raise InvalidFact(
                f"tag {name!r:.80} is no string of up to {_LONGEST_TAG:,} characters: "
                "shorten it, or log it as a parameter"
            )
        checked = check_id("tag name", name)
        return RunTagSet(new_event_id(), self._now(), run.run_id, checked, value)

    def _beat(self, run: OpenRun) -> None:
        fact = RunHeartbeat(new_event_id(), self._now(), run.run_id)
        self._outbox.put(EXPERIMENTS, run.key, fact)

    def _now(self) -> Micros:
        return Micros(self._clock.now_us())


def _finite_values(metrics: Mapping[str, SupportsFloat]) -> Sequence[SupportsFloat]:
    values = list(metrics.values())
    for value in values:
        # A float minus itself is 0 unless it is NaN or infinite.
        if value.__class__ is not float or value - value != 0.0:
            return [finite(name, value) for name, value in metrics.items()]
    return values
