"""What becomes of a run: final metrics, start and end."""

import pytest

from modeltrail.producers.experiments.fold import RunHistory, fold
from modeltrail.schemas.events import (
    ArtifactLogged,
    Fact,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunHeartbeat,
    RunResumed,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import EventId, ExperimentId, Micros, RunId, Sha256

RUN = RunId("run-1")


def started(at: int = 10) -> RunStarted:
    return RunStarted(EventId(bytes(16)), Micros(at), RUN, ExperimentId("exp"), '{"lr": 0.1}')


def ended(status: RunStatus, at: int = 90) -> RunEnded:
    return RunEnded(EventId(bytes(16)), Micros(at), RUN, status)


def logged(step: int | None, **metrics: float) -> MetricsLogged:
    values = tuple(metrics.values())
    return MetricsLogged(EventId(bytes(16)), Micros(50), RUN, step, tuple(metrics), values)


def folded(*facts: Fact) -> RunHistory:
    run = RunHistory()
    for fact in facts:
        run = fold(run, fact)
    return run


def finals(*facts: Fact) -> dict[str, float]:
    run = folded(*facts)
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
    run = folded(
        started(10), started(20), ended(RunStatus.FAILED, 80), ended(RunStatus.FINISHED, 90)
    )

    assert (run.started_at, run.ended_at, run.status) == (10, 80, RunStatus.FAILED)
    assert run.config_json == '{"lr": 0.1}'


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_the_range_has_the_first_step_of_its_ends_and_a_final_one_last(order: list[int]) -> None:
    logs = [logged(2, loss=0.2), logged(5, loss=0.2), logged(None, loss=0.9), logged(9, loss=0.9)]

    seen = folded(*(logs[at] for at in order)).ranges["loss"]

    assert (seen.lowest.step, seen.lowest.value) == (2, 0.2)
    assert (seen.highest.step, seen.highest.value) == (9, 0.9)


def test_params_tags_and_artifacts_are_those_that_came_last() -> None:
    def tag(name: str, value: str | None) -> RunTagSet:
        return RunTagSet(EventId(bytes(16)), Micros(20), RUN, name, value)

    def params(text: str) -> ParamsLogged:
        return ParamsLogged(EventId(bytes(16)), Micros(20), RUN, text)

    def artifact(size: int) -> ArtifactLogged:
        sha256 = Sha256(bytes(32))
        return ArtifactLogged(EventId(bytes(16)), Micros(20), RUN, "a", "file:///a", sha256, size)

    run = folded(
        *(tag("a", "1"), tag("b", "1"), tag("a", "2"), tag("b", None), tag("c", None)),
        *(params('{"x": 1, "y": 1}'), params('{"x": 2}')),
        *(artifact(1), artifact(2)),
    )

    assert run.tags == {"a": "2"}
    assert run.params == {"x": 2, "y": 1}
    assert run.artifacts["a"].artifact_size == 2


def test_the_newest_fact_of_any_kind_is_the_last_sight_and_a_resumption_sets_the_pace() -> None:
    run = RunHistory()
    for fact, appended_at in (
        (started(10), 110),
        (RunHeartbeat(EventId(bytes(16)), Micros(900), RUN), 170),
        (RunResumed(EventId(bytes(16)), Micros(60), RUN, heartbeat_s=5.0), 160),
    ):
        run = fold(run, fact, Micros(appended_at))

    # By the log's clock, whatever that of the run says.
    assert (run.last_seen_at, run.heartbeat_s) == (170, 5.0)


def test_a_fact_that_the_log_does_not_have_is_no_sight_of_the_run() -> None:
    assert folded(started(10)).last_seen_at == 0


@pytest.mark.parametrize(
    "fact",
    [
        MetricsLogged(EventId(bytes(16)), Micros(1), RUN, 1, ("loss",), ()),
        ParamsLogged(EventId(bytes(16)), Micros(1), RUN, "{at: 1}"),
        ParamsLogged(EventId(bytes(16)), Micros(1), RUN, "null"),
        RunStarted(EventId(bytes(16)), Micros(1), RUN, ExperimentId("exp"), "[]"),
    ],
)
def test_a_fact_that_contradicts_itself_is_refused(fact: Fact) -> None:
    with pytest.raises(ValueError, match=r"JSON object|shorter|Expecting"):
        fold(RunHistory(), fact)
