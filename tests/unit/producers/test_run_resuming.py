"""Going on with a run after its process died: what counts as alive, known and ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import InvalidFact, RunAlreadyEnded, UnknownRun
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    Fact,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunResumed,
    RunStarted,
    RunStatus,
)
from modeltrail.schemas.ids import EventId, ExperimentId, Micros, RunId
from modeltrail.schemas.topics import EXPERIMENTS, Topic, key_of

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    tracking = replace(settings.experiment_tracking, flush_timeout_s=0.1, capture=False)
    return replace(settings, experiment_tracking=tracking)


@pytest.fixture
def dying(settings: Settings, ids: MemorySchemaIds) -> Iterator[Callable[..., None]]:
    """Runs a job and then drops its tracker as a kill does, with a log that it never reached."""
    graves = []

    def die(job: Callable[[ExperimentTracker], object], log: MemoryLog | None = None) -> None:
        away = MemoryLog()
        away.away = True
        tracker = ExperimentTracker(settings, log=log or away, schema_ids=ids)
        job(tracker)
        running = tracker._outbox._running.take()
        assert running is not None
        tracker._heartbeat.close()
        running.forwarder.close(10)
        running.spool.forget()
        graves.append(running)

    yield die
    graves.clear()


@contextmanager
def opened(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> Iterator[ExperimentTracker]:
    with ExperimentTracker(settings, log=log, schema_ids=ids) as tracker:
        yield tracker


def start_and_log(tracker: ExperimentTracker) -> None:
    run = tracker.start_experiment("threshold", {"at": 0.5}, run_id="run-1")
    for step in range(3):
        tracker.log_metrics(run, {"loss": 1.0 / (step + 1)}, step)


def names(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def test_what_the_dead_process_spooled_comes_before_the_resumption(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    dying: Callable[..., None],
) -> None:
    with opened(settings, log, ids) as tracker:
        # Given a tracker that is at work when another process dies
        tracker.start_experiment("other", run_id="other")
        dying(start_and_log)

        # When the run is resumed and ends
        with tracker.resume("run-1") as run:
            run.log_metrics({"loss": 0.1}, step=3)
        compared = tracker.compare_experiments(["run-1"])["run-1"]

    # Then its facts are whole and in order
    mine = [fact for fact in facts_in(EXPERIMENTS) if getattr(fact, "run_id", "") == "run-1"]
    metrics = "MetricsLogged"
    assert names(mine) == ["RunStarted", *[metrics] * 3, "RunResumed", metrics, "RunEnded"]
    assert [fact.step for fact in mine if isinstance(fact, MetricsLogged)] == [0, 1, 2, 3]
    assert run.experiment_id == "threshold"
    assert (compared.status, compared.final_metrics) == ("finished", {"loss": 0.1})


def test_a_tracker_that_opens_first_at_the_resumption_finds_the_spool_too(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    dying: Callable[..., None],
) -> None:
    dying(start_and_log)

    with opened(settings, log, ids) as tracker:
        tracker.resume("run-1").end("failed")

    assert names(facts_in(EXPERIMENTS))[-2:] == ["RunResumed", "RunEnded"]
    assert len(facts_in(EXPERIMENTS)) == 6


def test_a_run_that_ended_is_not_resumed_wherever_its_end_is(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    dying: Callable[..., None],
    tracker: ExperimentTracker,
) -> None:
    # Given an end in the log, and one that is only in a spool
    tracker.run("threshold", run_id="logged").end("failed")

    def end(tracker: ExperimentTracker) -> None:
        tracker.run("threshold", run_id="spooled").end("killed")

    dying(end)

    with opened(settings, log, ids) as other:
        for run_id, status in (("logged", "failed"), ("spooled", "killed")):
            with pytest.raises(RunAlreadyEnded, match=f"ended as {status}"):
                other.resume(run_id)


def test_what_nobody_started_is_not_resumed(tracker: ExperimentTracker, facts_in: Facts) -> None:
    with pytest.raises(UnknownRun, match="'nobody'"):
        tracker.resume("nobody")
    with pytest.raises(InvalidFact, match="run_id is empty"):
        tracker.resume("")

    tracker.flush()
    assert facts_in(EXPERIMENTS) == []


def test_bytes_that_are_no_fact_do_not_keep_a_run_from_going_on(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds, tracker: ExperimentTracker
) -> None:
    tracker.run("threshold", run_id="run-1")
    tracker.flush()
    for value in (b"", b"\x00\x00\x00\x00\x63garbage", b"garbage"):
        log.append(EXPERIMENTS, key_of("run-1"), value)

    with opened(settings, log, ids) as other:
        assert other.resume("run-1").experiment_id == "threshold"


RUN = RunId("run-1")
CONTRADICTIONS = [
    MetricsLogged(EventId(bytes(16)), Micros(1), RUN, 3, ("loss", "recall"), (0.1,)),
    ParamsLogged(EventId(bytes(16)), Micros(1), RUN, "{at: 1}"),
    ParamsLogged(EventId(bytes(16)), Micros(1), RUN, "[1]"),
    RunStarted(EventId(bytes(16)), Micros(1), RUN, ExperimentId("other"), "7"),
]


@pytest.mark.parametrize("fact", CONTRADICTIONS)
def test_a_fact_that_contradicts_itself_hides_no_run(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    caplog: pytest.LogCaptureFixture,
    fact: Fact,
) -> None:
    # Given a run among whose facts somebody else's producer wrote one that is none
    log.append(EXPERIMENTS, key_of(RUN), Codec(ids).encode(fact))
    with opened(settings, log, ids) as tracker:
        run = tracker.run("threshold", {"at": 0.5}, run_id=RUN)
        run.log_metrics({"loss": 0.1}, step=3)

        # When it is compared, and goes on elsewhere
        found = tracker.compare_experiments([RUN])[RUN]
        with opened(settings, log, ids) as other:
            resumed = other.resume(RUN)

    # Then both go by the other facts, and a warning says which was passed over
    assert (found.settings, found.final_metrics) == ({"at": 0.5}, {"loss": 0.1})
    assert resumed.experiment_id == found.experiment_id == "threshold"
    assert "offset 0 of the experiments topic" in caplog.text


def test_an_open_run_of_this_tracker_is_given_as_it_is(
    tracker: ExperimentTracker, facts_in: Facts
) -> None:
    run = tracker.run("threshold")

    tracker.resume(run.run_id).end()

    assert names(facts_in(EXPERIMENTS)) == ["RunStarted", "RunEnded"]
    with pytest.raises(RunAlreadyEnded):
        tracker.resume(run.run_id)


def test_while_kafka_is_away_a_spool_that_reaches_back_to_the_start_is_enough(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    dying: Callable[..., None],
    wait_until: Wait,
) -> None:
    dying(start_and_log)
    log.away = True
    with opened(settings, log, ids) as tracker:
        with tracker.resume("run-1") as run:
            run.log_metrics({"loss": 0.1}, step=3)
        log.away = False
        wait_until(tracker.flush)

    facts = facts_in(EXPERIMENTS)
    assert isinstance(facts[0], RunStarted)
    assert isinstance(facts[4], RunResumed)
    assert isinstance(facts[-1], RunEnded)
    assert facts[-1].status is RunStatus.FINISHED
    assert len(facts) == 7


def test_while_kafka_is_away_a_run_that_the_spool_does_not_hold_has_to_wait(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds, tracker: ExperimentTracker
) -> None:
    tracker.run("threshold", run_id="run-1")
    tracker.flush()
    log.away = True

    with opened(settings, log, ids) as other:
        with pytest.raises(Unavailable):
            other.resume("run-1")
        log.away = False
        assert other.resume("run-1").experiment_id == "threshold"
