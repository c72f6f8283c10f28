"""Answers which runs a tracker may log to, with what each of their facts begins with."""

from dataclasses import dataclass

from modeltrail.producers.errors import RunAlreadyEnded, UnknownRun
from modeltrail.producers.eventlog.framing import newest_version
from modeltrail.producers.spooling.fact import pack_prefix
from modeltrail.schemas.avro_scalars import avro_string
from modeltrail.schemas.events import MetricsLogged
from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.topics import EXPERIMENTS, key_of


@dataclass(slots=True)
class OpenRun:
    """A run of this tracker; `prefix` and `avro_id` begin each of its metrics.

    `environment_json` is what was captured when it was started or resumed; empty: nothing.
    """

    run_id: RunId
    experiment_id: ExperimentId
    key: bytes
    avro_id: bytes
    prefix: bytes
    environment_json: str = ""
    ended: bool = False


def open_run(run_id: RunId, experiment_id: ExperimentId) -> OpenRun:
    """A run that has not ended.

    Raises:
        InvalidFact: the id has more than 65,535 bytes.
    """
    key = key_of(run_id)
    record = MetricsLogged.record
    prefix = pack_prefix(EXPERIMENTS.name, key, record, newest_version(record))
    return OpenRun(run_id, experiment_id, key, avro_string(run_id), prefix)


class OpenRuns:
    """The runs of one tracker, by id; an experiment's id means its latest run."""

    def __init__(self) -> None:
        self.by_id: dict[str, OpenRun] = {}
        self.latest: dict[str, OpenRun] = {}

    def add(self, run: OpenRun) -> None:
        """Take a run that was started or resumed."""
        self.by_id[run.run_id] = self.latest[run.experiment_id] = run

    def find(self, run_id: str) -> OpenRun:
        """The run, ended or not.

        Raises:
            UnknownRun: this tracker did not start it.
        """
        run = self.by_id.get(run_id) or self.latest.get(run_id)
        if run is None:
            raise UnknownRun(
                f"this tracker started no run or experiment {run_id!r:.80}: "
                "call start_experiment or resume, and use the run's id"
            )
        return run

    def find_open(self, run_id: str) -> OpenRun:
        """The run, which has not ended.

        Raises:
            UnknownRun: this tracker did not start it.
            RunAlreadyEnded: it has ended.
        """
        run = self.by_id.get(run_id) or self.find(run_id)
        if run.ended:
            raise RunAlreadyEnded(f"run {run.run_id[:80]!r} has ended: start another run")
        return run

    def id_of(self, run_id: str) -> RunId:
        """The id of the run that `run_id` means, also where another process started it."""
        if run_id not in self.by_id and run_id in self.latest:
            return self.latest[run_id].run_id
        return RunId(run_id)
