"""The SDK in processes that are killed, fork, exit, or start while Kafka is away."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.events import Fact, InferenceMeasured, MetricsLogged, RunStarted
from modeltrail.schemas.topics import EXPERIMENTS, INFERENCE, Topic
from tests.integration.producers.training import last_step_before_kill

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]

TRAIN = """
from modeltrail import ExperimentTracker
tracker = ExperimentTracker()
run = tracker.start_experiment("threshold", run_id="killed")
step = 0
while True:
    tracker.log_metrics(run, {"loss": 1 / (step + 1)}, step)
    print(step, flush=True)
    step += 1
"""

NODE = """
import os, sys
from modeltrail import InferenceMonitor, RegisteredModel
model = RegisteredModel("centerface", "v1.0.0", "", bytes(32), 1, {}, (), "", 0)
monitor = InferenceMonitor(model=model, node_id="gate-1")
for frame in range(100):
    monitor.track(frame, latency_ms=1.0)
"""

FORKING_NODE = (
    NODE
    + """
parent_session = monitor.session_id
child = os.fork()
for frame in range(100, 150):
    monitor.track(frame, latency_ms=1.0)
if child == 0:
    assert monitor.session_id != parent_session
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
)

POOLED_NODE = (
    NODE
    + """
import multiprocessing

def measure(base):
    for frame in range(base, base + 50):
        monitor.track(frame, latency_ms=1.0)

children = [
    multiprocessing.get_context("fork").Process(target=measure, args=(base,)) for base in (100, 150)
]
for child in children:
    child.start()
for child in children:
    child.join()
    assert child.exitcode == 0
"""
)


def waiting(environment: dict[str, str], flush_timeout_s: float) -> dict[str, str]:
    """With so much time to hand everything over at exit."""
    return {**environment, "MODELTRAIL_MONITORING_FLUSH_TIMEOUT_S": str(flush_timeout_s)}


def unhurried(environment: dict[str, str]) -> dict[str, str]:
    """With time to hand everything over at exit, however busy the machine is."""
    return waiting(environment, 40.0)


def run(script: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


@contextmanager
def exiting(script: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that has run the script, and goes on to its exit; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script + "\nprint('done', flush=True)\n"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n"
            yield process
        finally:
            process.kill()


def frames(facts: list[Fact]) -> list[int]:
    return sorted(fact.frame for fact in facts if isinstance(fact, InferenceMeasured))


@pytest.mark.parametrize("kafka", ["here", "away"])
def test_nothing_that_a_killed_process_logged_is_lost(
    fresh_settings: Settings,
    environment: dict[str, str],
    facts_in: Facts,
    wait_until: Wait,
    kafka: str,
) -> None:
    # Given a training process that is killed in the middle of logging
    if kafka == "away":
        # The same cluster, which does not understand it.
        environment["MODELTRAIL_KAFKA_SECURITY_PROTOCOL"] = "SSL"
    last = last_step_before_kill(TRAIN, environment, after=2000)

    # When another tracker opens the same spool
    with ExperimentTracker(fresh_settings) as tracker:
        tracker.start_experiment("other")
        wait_until(tracker.flush)

    # Then every call that returned is in the log, and a fact that came twice has one event_id
    facts = {fact.event_id: fact for fact in facts_in(EXPERIMENTS)}.values()
    steps = sorted(fact.step or 0 for fact in facts if isinstance(fact, MetricsLogged))
    assert steps[: last + 1] == list(range(last + 1))
    assert len(steps) - 1 in (last, last + 1)
    assert len([fact for fact in facts if isinstance(fact, RunStarted)]) == 2


def test_a_node_that_just_exits_has_sent_its_frames(
    environment: dict[str, str], facts_in: Facts
) -> None:
    run(NODE, environment)

    assert frames(facts_in(INFERENCE)) == list(range(100))


def test_a_node_waits_no_longer_than_it_was_told_at_exit_while_kafka_is_away(
    environment: dict[str, str],
) -> None:
    # Given a node that may wait for hours, and has begun to
    environment["MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
    with exiting(NODE, waiting(environment, 7200.0)) as patient:
        # When one that may not comes and goes
        run(NODE, waiting(environment, 0.5))

        # Then the patient one, which began earlier, still waits
        assert patient.poll() is None


def test_a_node_that_forks_sends_from_both_sides_once(
    environment: dict[str, str], facts_in: Facts
) -> None:
    run(FORKING_NODE, unhurried(environment))

    measured = frames(facts_in(INFERENCE))
    assert measured == sorted([*range(100), *range(100, 150), *range(100, 150)])


def test_children_of_multiprocessing_send_what_they_measured(
    environment: dict[str, str], facts_in: Facts
) -> None:
    run(POOLED_NODE, unhurried(environment))

    assert frames(facts_in(INFERENCE)) == list(range(200))
