"""Recording and comparing runs, on a log in memory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import InvalidFact, RunAlreadyEnded, SpoolFull, UnknownRun
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.events import Fact, MetricsLogged, RunEnded, RunStarted, RunStatus
from modeltrail.schemas.topics import EXPERIMENTS, Topic

Facts = Callable[[Topic], list[Fact]]


def test_a_run_becomes_its_facts_in_order(tracker: ExperimentTracker, facts_in: Facts) -> None:
    run = tracker.start_experiment("threshold", {"size": 640})
    tracker.log_metrics(run, {"recall": np.float32(0.5), "frames": 3}, step=np.int64(2))
    tracker.log_metrics(run, {"recall": 0.75})
    tracker.end_experiment(run, "failed", "out of light")

    start, step, final, end = facts_in(EXPERIMENTS)
    assert isinstance(start, RunStarted)
    assert (start.run_id, start.experiment_id, start.config_json) == (
        run,
        "threshold",
        '{"size": 640}',
    )
    assert isinstance(step, MetricsLogged)
    assert (step.run_id, step.step, step.names, step.values) == (
        run,
        2,
        ("recall", "frames"),
        (0.5, 3.0),
    )
    assert isinstance(final, MetricsLogged)
    assert (final.step, final.values) == (None, (0.75,))
    assert isinstance(end, RunEnded)
    assert (end.status, end.detail) == (RunStatus.FAILED, "out of light")
    assert len({fact.event_id for fact in (start, step, final, end)}) == 4


def test_runs_are_compared_by_config_final_metrics_and_duration(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds
) -> None:
    clock = ManualClock()
    with ExperimentTracker(settings, log=log, schema_ids=ids, clock=clock) as tracker:
        first = tracker.start_experiment("threshold", {"at": 0.3})
        second = tracker.start_experiment("threshold", {"at": 0.5})
        tracker.log_metrics(first, {"recall": 0.9}, step=5)
        tracker.log_metrics(first, {"recall": 0.8}, step=1)
        clock.advance(2.5)
        tracker.end_experiment(first)
        clock.advance(1.5)

        compared = tracker.compare_experiments([first, second])

    assert list(compared) == [first, second]
    assert compared[first].config == {"at": 0.3}
    assert compared[first].final_metrics == {"recall": 0.9}
    assert (compared[first].duration_s, compared[first].status) == (2.5, "finished")
    assert (compared[second].duration_s, compared[second].status) == (4.0, "running")


def test_an_experiment_id_means_its_latest_run(tracker: ExperimentTracker) -> None:
    tracker.start_experiment("threshold", {"round": 1})
    second = tracker.start_experiment("threshold", {"round": 2})

    tracker.log_metrics("threshold", {"recall": 0.5})

    compared = tracker.compare_experiments(["threshold"])["threshold"]
    assert compared.run_id == second
    assert compared.final_metrics == {"recall": 0.5}


def test_another_tracker_compares_runs_that_it_did_not_start(
    tracker: ExperimentTracker, settings: Settings, log: MemoryLog, ids: MemorySchemaIds
) -> None:
    run = tracker.start_experiment("threshold", run_id="mine")
    tracker.end_experiment(run)

    with ExperimentTracker(settings, log=log, schema_ids=ids) as other:
        assert other.compare_experiments(["mine"])["mine"].status == "finished"


def test_unknown_runs_are_refused(tracker: ExperimentTracker) -> None:
    for call in (
        lambda: tracker.log_metrics("nobody", {"loss": 1.0}),
        lambda: tracker.end_experiment("nobody"),
        lambda: tracker.compare_experiments(["nobody"]),
    ):
        with pytest.raises(UnknownRun, match="'nobody'"):
            call()


def test_an_ended_run_takes_nothing_more(tracker: ExperimentTracker) -> None:
    run = tracker.start_experiment("threshold")
    tracker.end_experiment(run)

    with pytest.raises(RunAlreadyEnded, match="start another run"):
        tracker.log_metrics(run, {"loss": 1.0})
    with pytest.raises(RunAlreadyEnded, match="start another run"):
        tracker.end_experiment(run)


@pytest.mark.parametrize(
    ("metrics", "step", "message"),
    [
        ({"loss": float("nan")}, 1, "'loss' is nan"),
        ({"loss": float("-inf")}, 1, "'loss' is -inf"),
        ({"loss": "0.5"}, 1, "give one number"),
        ({"x" * 10_000_000: 0.5}, 1, "has 10000000 characters"),
        ({"": 0.5}, 1, "empty"),
        ({"a\nb": 0.5}, 1, "unprintable"),
        ({3: 0.5}, 1, "give a string"),
        ({}, 1, "give numbers by name"),
        ([("loss", 0.5)], 1, "give numbers by name"),
        ({"loss": 0.5}, -1, "give 0 or more"),
        ({"loss": 0.5}, 1.5, "give a whole number"),
        ({"loss": 0.5}, 2**70, "64 bits"),
        ({f"metric-{number:0240}": 0.5 for number in range(5000)}, 1, "split it"),
    ],
)
def test_bad_metrics_are_refused_at_the_call(
    tracker: ExperimentTracker,
    facts_in: Facts,
    metrics: Mapping[str, float],
    step: Any,
    message: str,
) -> None:
    run = tracker.start_experiment("threshold")

    with pytest.raises(InvalidFact, match=message):
        tracker.log_metrics(run, metrics, step)

    tracker.flush()
    assert len(facts_in(EXPERIMENTS)) == 1


@pytest.mark.parametrize(
    ("experiment", "config", "run_id", "message"),
    [
        ("", None, None, "experiment_id is empty"),
        ("x" * 10_000_000, None, None, "1000 are allowed"),
        ("e", {"lr": float("inf")}, None, "config is not JSON"),
        ("e", {"model": object()}, None, "no JSON form"),
        ("e", None, "", "run_id is empty"),
        ("e", None, "taken", "'taken' is taken"),
    ],
)
def test_a_run_that_may_not_become_a_fact_is_not_started(
    tracker: ExperimentTracker,
    facts_in: Facts,
    experiment: str,
    config: Any,
    run_id: str | None,
    message: str,
) -> None:
    tracker.start_experiment("other", run_id="taken")

    with pytest.raises(InvalidFact, match=message):
        tracker.start_experiment(experiment, config, run_id=run_id)

    tracker.flush()
    assert len(facts_in(EXPERIMENTS)) == 1


@pytest.mark.parametrize(
    ("status", "detail"), [("done", ""), (None, ""), ("failed", "x" * 100_001)]
)
def test_a_bad_end_is_refused_and_the_run_goes_on(
    tracker: ExperimentTracker, status: Any, detail: str
) -> None:
    run = tracker.start_experiment("threshold")

    with pytest.raises(InvalidFact):
        tracker.end_experiment(run, status, detail)

    tracker.log_metrics(run, {"loss": 1.0})


class TestWhileKafkaIsAway:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        tracking = replace(settings.experiment_tracking, flush_timeout_s=0.1)
        return replace(settings, experiment_tracking=tracking)

    def test_facts_wait_and_arrive_in_order(
        self,
        tracker: ExperimentTracker,
        log: MemoryLog,
        ids: MemorySchemaIds,
        facts_in: Facts,
        wait_until: Callable[[Callable[[], object]], None],
    ) -> None:
        # Given that Kafka and the schema registry are away
        log.away = ids.away = True
        run = tracker.start_experiment("threshold")
        for step in range(100):
            tracker.log_metrics(run, {"loss": 1 / (step + 1)}, step)
        tracker.end_experiment(run)
        with pytest.raises(Unavailable, match="has not taken"):
            tracker.compare_experiments([run])

        # When both are back
        log.away = ids.away = False

        # Then everything arrives, in order
        wait_until(tracker.flush)
        start, *steps, end = facts_in(EXPERIMENTS)
        assert isinstance(start, RunStarted)
        assert isinstance(end, RunEnded)
        assert [fact.step for fact in steps if isinstance(fact, MetricsLogged)] == list(range(100))

    def test_a_full_spool_blocks_then_says_so_and_goes_on_later(
        self,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
        facts_in: Facts,
        wait_until: Callable[[Callable[[], object]], None],
    ) -> None:
        # Given a spool of 1 MiB that nobody empties
        log.away = True
        with ExperimentTracker(settings, log=log, schema_ids=ids, full_timeout_s=0.05) as tracker:
            run = tracker.start_experiment("threshold")
            logged = 0

            def log_until_full() -> None:
                nonlocal logged
                while logged < 100_000:
                    tracker.log_metrics(run, {"loss": 0.5}, logged)
                    logged += 1

            with pytest.raises(SpoolFull, match=r"1 MiB of facts .* wait for Kafka"):
                log_until_full()
            assert logged > 5000

            # When Kafka is back, the same call succeeds
            log.away = False
            wait_until(tracker.flush)
            tracker.log_metrics(run, {"loss": 0.5}, logged)
            wait_until(tracker.flush)

        # Then nothing is missing
        steps = [fact.step for fact in facts_in(EXPERIMENTS) if isinstance(fact, MetricsLogged)]
        assert steps == list(range(logged + 1))
