"""Answers whether a run may go on after its process died: from the log and what is spooled."""

from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import RunAlreadyEnded, UnknownRun
from modeltrail.producers.experiments.fold import RunHistory, fold
from modeltrail.producers.experiments.open_run import OpenRun, open_run
from modeltrail.producers.experiments.reader import LogExperimentReader
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.events import RunEnded, RunResumed, RunStarted
from modeltrail.schemas.ids import RunId
from modeltrail.schemas.topics import EXPERIMENTS, key_of

_LIFE = (RunStarted, RunResumed, RunEnded)


def reopened(run_id: RunId, outbox: Outbox, reader: LogExperimentReader) -> OpenRun:
    """The run, which has started and has not ended; what its process left is sent first.

    While Kafka is away, what is spooled here decides, if it reaches back to the run's start.

    Raises:
        UnknownRun: neither the log nor the spool has its start.
        RunAlreadyEnded: one of them has its end.
        Unavailable: Kafka does not answer, and the spool does not hold the run's start.
    """
    outbox.adopt_abandoned()
    # Before the log: a fact on its way is in one of the two at least.
    spooled = outbox.unsent(EXPERIMENTS, key_of(run_id), _LIFE)
    try:
        run = reader.run_without_metrics(run_id)
    except Unavailable:
        if not any(isinstance(fact, RunStarted) for fact in spooled):
            raise
        run = RunHistory()
    for fact in spooled:
        run = fold(run, fact)
    if run.experiment_id is None:
        raise UnknownRun(
            f"no run {run_id[:80]!r} to resume: correct the id, or start it with start_experiment"
        )
    if run.ended_at is not None:
        raise RunAlreadyEnded(
            f"run {run_id[:80]!r} has ended as {(run.status or 'unknown').lower()}: "
            "start another run"
        )
    return open_run(run_id, run.experiment_id)
