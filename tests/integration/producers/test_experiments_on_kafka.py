"""Runs through a real Kafka: it goes away in the middle, the process is killed, the run goes on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.state import load_state
from modeltrail.producers.errors import RunAlreadyEnded
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.events import (
    Fact,
    MetricsLogged,
    RunEnded,
    RunHeartbeat,
    RunResumed,
    RunStarted,
)
from modeltrail.schemas.topics import EXPERIMENTS, Topic
from tests.integration.producers.training import last_step_before_kill

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]
HEARTBEAT_S = 0.2
TRAIN = """
from modeltrail import ExperimentTracker

with ExperimentTracker() as tracker, tracker.run("threshold", {"at": 0.5}, run_id="killed") as run:
    for step in range(1_000_000):
        run.log_metrics({"loss": 1 / (step + 1)}, step)
        print(step, flush=True)
"""


@contextmanager
def paused_kafka(settings: Settings) -> Iterator[None]:
    """The broker answers nothing during the block, and goes on behind it."""
    state = load_state(Layout.at(settings.stack.data_dir).state)
    assert state is not None
    pid = state.part("kafka").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def once(facts: list[Fact]) -> list[Fact]:
    """The facts of a log in their order, without those that were sent again."""
    return list({fact.event_id: fact for fact in facts}.values())


def steps(facts: list[Fact]) -> list[int | None]:
    return [fact.step for fact in facts if isinstance(fact, MetricsLogged)]


# The broker forgets a connection, and the client a request, within a minute.
@pytest.mark.parametrize("away_s", [1.5, pytest.param(75, marks=pytest.mark.prove)])
def test_kafka_may_go_away_in_the_middle_of_a_run(
    fresh_settings: Settings, facts_in: Facts, wait_until: Wait, away_s: float
) -> None:
    # Given a run that is half way when Kafka goes away
    tracking = replace(
        fresh_settings.experiment_tracking, flush_timeout_s=0.2, heartbeat_s=HEARTBEAT_S
    )
    settings = replace(fresh_settings, experiment_tracking=tracking)
    with ExperimentTracker(settings) as tracker:
        with tracker.run("threshold", run_id="away") as run:
            for step in range(1000):
                run.log_metrics({"loss": 1 / (step + 1)}, step)
            wait_until(tracker.flush)

            # When it logs on, and is back much later
            with paused_kafka(settings):
                until = time.monotonic() + away_s
                logged = 1000
                while time.monotonic() < until or logged < 3000:
                    run.log_metrics({"loss": 1 / logged}, logged)
                    logged += 1
                    # A training step takes a moment.
                    time.sleep(0.0002)
                assert not tracker.flush()
        wait_until(tracker.flush)

    # Then nothing is missing, and everything is in its order
    facts = once(facts_in(EXPERIMENTS))
    assert steps(facts) == list(range(logged))
    assert isinstance(facts[0], RunStarted)
    told = [fact for fact in facts if not isinstance(fact, RunHeartbeat)]
    assert isinstance(told[-1], RunEnded)
    beats = [fact for fact in facts if isinstance(fact, RunHeartbeat)]
    assert len(beats) >= away_s / HEARTBEAT_S / 2


def test_a_killed_run_is_lost_and_goes_on_where_it_was(
    fresh_settings: Settings, environment: dict[str, str], facts_in: Facts, wait_until: Wait
) -> None:
    # Given a training process that is killed without any warning
    pace = {"MODELTRAIL_EXPERIMENT_TRACKING_HEARTBEAT_S": str(HEARTBEAT_S)}
    last = last_step_before_kill(TRAIN, {**environment, **pace}, after=1000)

    with ExperimentTracker(fresh_settings) as tracker:
        # Then it is lost after three heartbeats
        tracker.start_experiment("takes over the spool")
        wait_until(tracker.flush)
        wait_until(lambda: tracker.compare_experiments(["killed"])["killed"].status == "lost")

        # When it is resumed
        with tracker.resume("killed") as run:
            run.log_metrics({"loss": 0.0}, last + 2)
        wait_until(tracker.flush)
        assert tracker.compare_experiments(["killed"])["killed"].status == "finished"

    # Then its facts are whole and in order, and it cannot go on once more
    facts = [
        fact
        for fact in once(facts_in(EXPERIMENTS))
        if getattr(fact, "run_id", "") == "killed" and not isinstance(fact, RunHeartbeat)
    ]
    assert isinstance(facts[0], RunStarted)
    assert isinstance(facts[-3], RunResumed)
    assert isinstance(facts[-1], RunEnded)
    logged = steps(facts)
    assert logged[: last + 1] == list(range(last + 1))
    # The call that the kill interrupted may have been kept.
    assert logged[last + 1 :] in ([last + 2], [last + 1, last + 2])
    with ExperimentTracker(fresh_settings) as other, pytest.raises(RunAlreadyEnded):
        other.resume("killed")
