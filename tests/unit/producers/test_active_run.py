"""A run as a block: what it records, and how it ends when the block does not."""

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import InvalidFact, RunAlreadyEnded, UnknownRun
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.events import (
    ArtifactLogged,
    Fact,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.topics import EXPERIMENTS, Topic

Facts = Callable[[Topic], list[Fact]]


def end_of(facts: list[Fact]) -> RunEnded:
    [end] = [fact for fact in facts if isinstance(fact, RunEnded)]
    return end


def test_a_block_records_everything_and_ends_as_finished(
    tracker: ExperimentTracker, facts_in: Facts, tmp_path: Path
) -> None:
    report = tmp_path / "report.txt"
    report.write_text("not ONNX")

    with tracker.run("threshold", {"at": 0.5}, tags={"team": "vision"}) as run:
        run.log_params({"workers": 4})
        run.log_metrics({"recall": 0.5}, step=1)
        run.set_tag("team", None)
        stored = run.log_artifact(report)
        run.log_artifact(report, "the/report ✓")

    start, tag, params, metrics, gone, artifact, again, end = facts_in(EXPERIMENTS)
    assert isinstance(start, RunStarted)
    assert (start.run_id, start.experiment_id) == (run.run_id, run.experiment_id)
    assert isinstance(tag, RunTagSet)
    assert (tag.name, tag.value) == ("team", "vision")
    assert isinstance(params, ParamsLogged)
    assert params.params_json == '{"workers": 4}'
    assert isinstance(metrics, MetricsLogged)
    assert isinstance(gone, RunTagSet)
    assert gone.value is None
    assert isinstance(artifact, ArtifactLogged)
    assert (artifact.name, artifact.artifact_size) == ("report.txt", 8)
    assert (artifact.artifact_sha256, artifact.artifact_uri) == (stored.sha256, stored.uri)
    assert Path(stored.uri.removeprefix("file://")).read_text() == "not ONNX"
    assert isinstance(again, ArtifactLogged)
    assert (again.name, again.artifact_uri) == ("the/report ✓", stored.uri)
    assert isinstance(end, RunEnded)
    assert (end.status, end.detail) == (RunStatus.FINISHED, "")


def test_an_exception_ends_the_run_as_failed_with_its_traceback(
    tracker: ExperimentTracker, facts_in: Facts
) -> None:
    def train() -> None:
        raise ValueError("the loss is gone \ud800")

    with pytest.raises(ValueError, match="the loss is gone"), tracker.run("threshold"):
        train()

    end = end_of(facts_in(EXPERIMENTS))
    assert end.status is RunStatus.FAILED
    assert "in train\n" in end.detail
    assert end.detail.endswith("ValueError: the loss is gone ?\n")


def test_of_a_long_traceback_the_end_is_kept(tracker: ExperimentTracker, facts_in: Facts) -> None:
    with pytest.raises(ValueError, match="long"), tracker.run("threshold"):
        raise ValueError("long " + "x" * 200_000 + " the reason")

    detail = end_of(facts_in(EXPERIMENTS)).detail
    assert len(detail) == 100_000
    assert detail.endswith("the reason\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_a_run_that_is_interrupted_ends_as_killed(
    tracker: ExperimentTracker, facts_in: Facts, error: type[BaseException]
) -> None:
    with pytest.raises(error), tracker.run("threshold"):
        raise error

    end = end_of(facts_in(EXPERIMENTS))
    assert end.status is RunStatus.KILLED
    assert error.__name__ in end.detail


@pytest.mark.parametrize("code", [None, 0, False])
def test_a_run_whose_process_exits_in_peace_ends_as_finished(
    tracker: ExperimentTracker, facts_in: Facts, code: int | None
) -> None:
    with pytest.raises(SystemExit), tracker.run("threshold"):
        sys.exit(code)

    end = end_of(facts_in(EXPERIMENTS))
    assert (end.status, end.detail) == (RunStatus.FINISHED, "")


@pytest.mark.parametrize("code", [1, "no data"])
def test_a_run_whose_process_exits_with_a_code_ends_as_failed(
    tracker: ExperimentTracker, facts_in: Facts, code: int | str
) -> None:
    with pytest.raises(SystemExit), tracker.run("threshold"):
        sys.exit(code)

    end = end_of(facts_in(EXPERIMENTS))
    assert end.status is RunStatus.FAILED
    assert f"SystemExit: {code}" in end.detail


def test_a_run_that_was_ended_in_its_block_stays_as_it_is(
    tracker: ExperimentTracker, facts_in: Facts
) -> None:
    with tracker.run("threshold") as run:
        run.end("killed", "enough")

    assert end_of(facts_in(EXPERIMENTS)).status is RunStatus.KILLED
    with pytest.raises(RunAlreadyEnded, match="start another run"):
        run.end()


def test_the_exception_goes_on_where_the_end_cannot_be_recorded(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a spool that is full
    log.away = True
    tracking = replace(settings.experiment_tracking, flush_timeout_s=0.1)
    settings = replace(settings, experiment_tracking=tracking)
    tracker = ExperimentTracker(settings, log=log, schema_ids=ids, full_timeout_s=0.05)

    def fail_when_full() -> None:
        with tracker.run("threshold") as run:
            while True:
                try:
                    run.log_params({"a": 1})
                except Exception:
                    raise ZeroDivisionError("the job's own") from None

    # When the block fails, then its own exception is what the job sees
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError, match="the job's own"):
        fail_when_full()

    assert "is not recorded: 1 MiB of facts" in caplog.text
    log.away = False
    tracker.close()


def test_a_nested_run_knows_its_parent_and_a_failure_ends_both(
    tracker: ExperimentTracker, facts_in: Facts
) -> None:
    def search() -> None:
        with tracker.run("search") as outer, outer.nested("search", {"fold": 1}) as inner:
            inner.log_metrics({"loss": 1.0})
            raise ValueError("bad fold")

    with pytest.raises(ValueError, match="bad fold"):
        search()

    facts = facts_in(EXPERIMENTS)
    starts = [fact for fact in facts if isinstance(fact, RunStarted)]
    [outer] = [start for start in starts if start.parent_run_id is None]
    [inner] = [start for start in starts if start.parent_run_id is not None]
    assert inner.parent_run_id == outer.run_id
    ends = [fact for fact in facts if isinstance(fact, RunEnded)]
    assert [end.status for end in ends] == [RunStatus.FAILED, RunStatus.FAILED]


def test_a_run_is_not_its_own_parent(tracker: ExperimentTracker) -> None:
    with pytest.raises(InvalidFact, match="its own parent"):
        tracker.run("search", run_id="me", parent_run_id="me")


def test_after_its_end_a_run_takes_tags_and_nothing_else(
    tracker: ExperimentTracker, facts_in: Facts, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with tracker.run("threshold") as run:
        pass

    run.set_tag("verdict", "keep")
    for call in (
        lambda: run.log_params({"a": 1}),
        lambda: run.log_metrics({"a": 1.0}),
        lambda: run.log_artifact(tmp_path / "file"),
    ):
        with pytest.raises(RunAlreadyEnded):
            call()

    tracker.flush()
    assert isinstance(facts_in(EXPERIMENTS)[-1], RunTagSet)
    assert len(facts_in(EXPERIMENTS)) == 3


def test_bad_params_tags_and_artifacts_are_refused_at_the_call(
    tracker: ExperimentTracker, facts_in: Facts, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    run = tracker.run("threshold")

    for call in (
        lambda: run.log_params({}),
        lambda: run.log_params({"a": float("nan")}),
        lambda: run.set_tag("", "x"),
        lambda: run.set_tag("x" * 1001, "x"),
        lambda: run.set_tag("x", "y" * 5001),
        lambda: run.set_tag("x", 3),  # type: ignore[arg-type]
        lambda: run.log_artifact(tmp_path / "file", "a\nb"),
        lambda: tracker.run("threshold", tags={"": "x"}),
    ):
        with pytest.raises(InvalidFact):
            call()
    with pytest.raises(FileNotFoundError, match="no readable file"):
        run.log_artifact(tmp_path / "nothing")
    with pytest.raises(UnknownRun):
        tracker.set_tag("nobody", "x", "y")

    tracker.flush()
    assert len(facts_in(EXPERIMENTS)) == 1


@pytest.mark.parametrize(
    "name", ["with spaces  in it", "a/b\\c/../d", "🦊" * 10, "é" * 1000, "🦊" * 1000, "%00'\"; --"]
)
def test_any_printable_name_of_up_to_1000_characters_will_do(
    tracker: ExperimentTracker, name: str
) -> None:
    with tracker.run(name, {name: name}, run_id=f"{name[:999]}1", tags={name: name}) as outer:
        outer.log_metrics({name[:250]: 1.0}, step=1)
        with outer.nested(name) as inner:
            pass

    compared = tracker.compare_experiments([outer.run_id, inner.run_id])
    run = compared[outer.run_id]
    assert run.experiment_id == name
    assert (run.config, run.tags) == ({name: name}, {name: name})
    assert run.final_metrics == {name[:250]: 1.0}
    assert compared[inner.run_id].parent_run_id == outer.run_id
