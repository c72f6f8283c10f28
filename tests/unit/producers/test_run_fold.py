"""What becomes of a run: final metrics, start and end."""

from modeltrail.producers.experiments.fold import RunHistory, fold
from modeltrail.schemas.events import Fact, MetricsLogged, RunEnded, RunStarted, RunStatus
from modeltrail.schemas.ids import EventId, ExperimentId, Micros, RunId

RUN = RunId("run-1")


def started(at: int = 10) -> RunStarted:
    return RunStarted(EventId(bytes(16)), Micros(at), RUN, ExperimentId("exp"), '{"lr": 0.1}')


def ended(status: RunStatus, at: int = 90) -> RunEnded:
    return RunEnded(EventId(bytes(16)), Micros(at), RUN, status)


def logged(step: int | None, **metrics: float) -> MetricsLogged:
    values = tuple(metrics.values())
    return MetricsLogged(EventId(bytes(16)), Micros(50), RUN, step, tuple(metrics), values)


def finals(*facts: Fact) -> dict[str, float]:
    run = RunHistory()
    for fact in facts:
        run = fold(run, fact)
    return {name: final.value for name, final in run.finals.items()}


def test_the_value_at_the_highest_step_is_final() -> None:
    assert finals(logged(1, loss=0.9), logged(3, loss=0.2), logged(2, loss=0.4)) == {"loss": 0.2}


def test_of_two_values_for_one_step_the_later_counts() -> None:
    assert finals(logged(3, loss=0.2), logged(3, loss=0.3)) == {"loss": 0.3}


def test_a_value_without_step_is_final_whatever_steps_follow() -> None:
    assert finals(logged(None, loss=0.1), logged(9, loss=0.5)) == {"loss": 0.1}
    assert finals(logged(9, loss=0.5), logged(None, loss=0.1)) == {"loss": 0.1}
    assert finals(logged(None, loss=0.1), logged(None, loss=0.2)) == {"loss": 0.2}


def test_each_metric_has_a_final_step_of_its_own() -> None:
    assert finals(logged(1, loss=0.9, recall=0.5), logged(2, loss=0.8)) == {
        "loss": 0.8,
        "recall": 0.5,
    }


def test_the_first_start_and_the_first_end_count() -> None:
    run = RunHistory()
    for fact in (
        started(10),
        started(20),
        ended(RunStatus.FAILED, 80),
        ended(RunStatus.FINISHED, 90),
    ):
        run = fold(run, fact)

    assert (run.started_at, run.ended_at, run.status) == (10, 80, RunStatus.FAILED)
    assert run.config_json == '{"lr": 0.1}'
