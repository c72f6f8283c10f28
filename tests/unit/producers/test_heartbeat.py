"""Heartbeats: one thread for all runs of a tracker, while they are open, in one process."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import Settings
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments.heartbeat import Heartbeat
from modeltrail.producers.experiments.open_run import OpenRun, open_run
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import Fact, RunHeartbeat, RunStarted
from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.topics import EXPERIMENTS, Topic

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]
OFTEN_S = 0.01


def run_named(name: str) -> OpenRun:
    return open_run(RunId(name), ExperimentId("threshold"))


def beating() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "modeltrail-heartbeat"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    tracking = replace(settings.experiment_tracking, heartbeat_s=OFTEN_S, capture=False)
    return replace(settings, experiment_tracking=tracking)


def test_every_open_run_says_that_it_is_alive(
    tracker: ExperimentTracker, facts_in: Facts, wait_until: Wait
) -> None:
    first, second = tracker.start_experiment("a"), tracker.start_experiment("b")

    def alive() -> set[str]:
        return {fact.run_id for fact in facts_in(EXPERIMENTS) if isinstance(fact, RunHeartbeat)}

    wait_until(lambda: alive() == {first, second})
    start = next(fact for fact in facts_in(EXPERIMENTS) if isinstance(fact, RunStarted))
    assert start.heartbeat_s == OFTEN_S


def test_one_thread_is_there_while_a_run_is_open(
    tracker: ExperimentTracker, wait_until: Wait
) -> None:
    runs = [tracker.start_experiment("a") for _ in range(5)]
    assert len(beating()) == 1

    for run in runs[:-1]:
        tracker.end_experiment(run)
    assert len(beating()) == 1

    tracker.end_experiment(runs[-1])
    wait_until(lambda: not beating())


def test_closing_stops_the_thread_although_a_run_is_open(tracker: ExperimentTracker) -> None:
    tracker.start_experiment("a")

    tracker.close()

    assert beating() == []


def test_without_an_interval_there_is_no_thread(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds
) -> None:
    tracking = replace(settings.experiment_tracking, heartbeat_s=0.0)
    settings = replace(settings, experiment_tracking=tracking)
    with ExperimentTracker(settings, log=log, schema_ids=ids) as tracker:
        tracker.start_experiment("a")

        assert beating() == []


def test_a_beat_that_fails_is_not_the_last(wait_until: Wait) -> None:
    beats: list[str] = []

    def beat(run: OpenRun) -> None:
        beats.append(run.run_id)
        if len(beats) == 1:
            raise ModeltrailError("the spool is full")
        if len(beats) == 2:
            raise OSError("the disk is gone")

    heartbeat = Heartbeat(beat, OFTEN_S)
    heartbeat.add(run_named("run-1"))

    wait_until(lambda: len(beats) > 3)
    heartbeat.close()


def test_a_child_beats_for_its_own_runs_only(wait_until: Wait) -> None:
    # Given a parent that beats for a run
    beats: list[str] = []
    heartbeat = Heartbeat(lambda run: beats.append(run.run_id), OFTEN_S)
    heartbeat.add(run_named("of the parent"))
    wait_until(lambda: beats)

    child = os.fork()
    if child == 0:
        # When its child starts a run, then the child beats for that one
        beats.clear()
        silent = beating() == [] and heartbeat._pulse.made is None
        heartbeat.add(run_named("of the child"))
        wait_until(lambda: len(beats) > 2)
        os._exit(0 if silent and set(beats) == {"of the child"} else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    heartbeat.close()


def test_a_run_without_a_fact_for_three_heartbeats_is_lost(
    settings: Settings, ids: MemorySchemaIds
) -> None:
    # Given a run with a heartbeat of 10 s whose process died after 5 s
    clock = ManualClock()
    log = MemoryLog(clock=clock)
    tracking = replace(settings.experiment_tracking, heartbeat_s=10.0)
    settings = replace(settings, experiment_tracking=tracking)
    with ExperimentTracker(settings, log=log, schema_ids=ids, clock=clock) as tracker:
        run = tracker.start_experiment("a")
        clock.advance(5)
        tracker.log_metrics(run, {"loss": 1.0})
        tracker.flush()
        tracker._heartbeat.close()

        # Then it runs for another 30 s, and is lost from then on
        clock.advance(30)
        assert tracker.compare_experiments([run])[run].status == "running"
        clock.advance(1)
        lost = tracker.compare_experiments([run])[run]
        assert (lost.status, lost.duration_s) == ("lost", 5.0)

        # Until it says something
        tracker.log_metrics(run, {"loss": 0.5})
        assert tracker.compare_experiments([run])[run].status == "running"


@pytest.mark.parametrize("ahead_s", [-3600, -31, 31, 3600])
def test_whether_a_run_is_lost_does_not_depend_on_the_clock_of_its_machine(
    settings: Settings, ids: MemorySchemaIds, ahead_s: float
) -> None:
    # Given a run on a machine whose clock is not that of the log and of whoever reads it
    here, there = ManualClock(), ManualClock()
    there.jump(ahead_s)
    log = MemoryLog(clock=here)
    tracking = replace(settings.experiment_tracking, heartbeat_s=10.0)
    settings = replace(settings, experiment_tracking=tracking)
    with (
        ExperimentTracker(settings, log=log, schema_ids=ids, clock=there) as tracker,
        ExperimentTracker(settings, log=log, schema_ids=ids, clock=here) as reader,
    ):
        run = tracker.start_experiment("a")
        tracker.flush()
        tracker._heartbeat.close()

        # Then it runs for 30 s without a fact, and is lost from then on
        here.advance(30)
        assert reader.compare_experiments([run])[run].status == "running"
        here.advance(1)
        assert reader.compare_experiments([run])[run].status == "lost"
