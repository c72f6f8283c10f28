"""What the experiments commands show of runs, for people and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from modeltrail.infra.cli import experiments_data
from modeltrail.infra.cli.experiments_data import (
    best_of,
    chosen_runs,
    comparisons,
    directions,
    duration_s,
)
from modeltrail.infra.cli.experiments_tables import (
    comparison_json,
    list_row,
    run_details,
    show_comparison,
    show_run,
)
from modeltrail.infra.cli.pairs import Pair
from modeltrail.infra.errors import ConfigError
from modeltrail.producers.errors import UnknownRun
from modeltrail.producers.experiments.comparing import compare
from modeltrail.sinks.queries.metric_history import Curve
from modeltrail.sinks.queries.runs import MetricSummary, RunRow

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOW = START + timedelta(minutes=10)
LOSS = MetricSummary("loss", 4, 3, 0.3, 0.2, 1, 0.9, 0, 0.5)
RUN = RunRow(
    run_id="run-1",
    experiment_id="threshold",
    status="FINISHED",
    started_at=START,
    ended_at=START + timedelta(seconds=90),
    last_seen_at=START + timedelta(seconds=95),
    config_json='{"at": 0.5}',
    params={"at": "0.5", "kind": "sgd"},
    parent_run_id=None,
    started_by="vision",
    detail="",
    artifacts=["model.onnx"],
    tags={"team": "vision"},
    environment_json=(
        '{"python": "3.12.1", "git": {"commit": "a1b2", "dirty": true}, "packages": {"numpy": "2"},'
        ' "gpus": [{"name": "H200"}]}'
    ),
    heartbeat_s=10.0,
    resumptions=1,
)
OTHER = replace(RUN, run_id="run-2", params={"at": "0.7", "kind": "sgd"}, status="FAILED")
AGAIN = replace(RUN, run_id="run-3")


CLIENT: Any = None


@pytest.fixture(autouse=True)
def known_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ClickHouse would answer: the queries themselves have tests of their own."""
    known = {run.run_id: run for run in (RUN, OTHER, AGAIN)}

    def runs_by_id(client: object, run_ids: Sequence[str]) -> list[RunRow]:
        return [known[run_id] for run_id in run_ids if run_id in known]

    def search_runs(client: object, *, experiment_id: str, limit: int) -> list[RunRow]:
        return [run for run in known.values() if run.experiment_id == experiment_id][:limit]

    def summaries(client: object, run_ids: Sequence[str]) -> dict[str, list[MetricSummary]]:
        return {run_id: [LOSS] for run_id in run_ids}

    for answer in (runs_by_id, search_runs, summaries):
        monkeypatch.setattr(experiments_data, answer.__name__, answer)


def test_a_run_lasts_until_its_end_or_until_it_was_last_seen_or_until_now() -> None:
    assert duration_s(RUN, NOW) == 90
    assert duration_s(replace(RUN, ended_at=None, status="LOST"), NOW) == 95
    assert duration_s(replace(RUN, ended_at=None, status="RUNNING"), NOW) == 600
    naive = replace(RUN, started_at=START.replace(tzinfo=None))
    assert duration_s(naive, NOW) == 90


def test_the_best_of_a_metric_follows_its_name_or_the_options() -> None:
    assert (best_of(LOSS).value, best_of(LOSS).step) == (0.2, 1)
    said = best_of(LOSS, directions(["loss"], ["f1"]))
    assert (said.value, said.step) == (0.9, 0)


def test_runs_are_chosen_by_id_and_experiment_each_once() -> None:
    assert [run.run_id for run in chosen_runs(CLIENT, ["run-2"], "", 9)] == ["run-2"]
    both = chosen_runs(CLIENT, ["run-2"], "threshold", 2)
    assert [run.run_id for run in both] == ["run-2", "run-1"]
    with pytest.raises(UnknownRun, match="'nobody'"):
        chosen_runs(CLIENT, ["nobody"], "", 9)
    with pytest.raises(UnknownRun, match="no run of experiment 'none'"):
        chosen_runs(CLIENT, [], "none", 9)
    with pytest.raises(ConfigError, match="--experiment"):
        chosen_runs(CLIENT, [], "", 9)


def test_the_list_has_final_metrics() -> None:
    row = list_row(RUN, {"loss": 0.3, "f1": 1.0}, NOW)

    assert row == ("run-1", "threshold", "FINISHED", START, 90.0, "loss=0.3, f1=1")
    assert list_row(RUN, {"loss": 0.3}, NOW, as_json=True)[-1] == {"loss": 0.3}


def test_a_run_is_shown_with_curves_and_the_reason_why_it_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = replace(RUN, detail="Traceback\n  ValueError: \x1b[2Jgone")
    curve = Curve((0, 1, 2), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0))

    show_run(failed, [LOSS], {"loss": curve}, NOW)

    shown = capsys.readouterr().out
    for part in (
        "run-1",
        "tag team",
        "param at",
        "model.onnx",
        "3.12.1",
        "a1b2 with changes",
        "H200",
        "▁▅█",
    ):
        assert part in shown
    assert shown.endswith("Traceback\n  ValueError:  [2Jgone\n")
    assert "parent" not in shown


def test_a_run_is_json_with_every_field_and_the_best_of_each_metric() -> None:
    details = json.loads(json.dumps(run_details(RUN, [LOSS], NOW)))

    assert details["started_at"] == "2026-07-01T12:00:00+00:00"
    assert details["duration_s"] == 90
    assert details["metrics"]["loss"]["best"] == 0.2
    assert details["metrics"]["loss"]["mean"] == 0.5
    assert details["tags"] == {"team": "vision"}


def test_a_comparison_shows_what_differs_and_the_means_of_repeats(
    capsys: pytest.CaptureFixture[str],
) -> None:
    comparison = compare(comparisons(CLIENT, [RUN, OTHER, AGAIN], NOW))

    show_comparison(comparison)

    shown = capsys.readouterr().out
    header = next(line for line in shown.splitlines() if "run_id" in line).split()
    assert header == ["run_id", "status", "duration_s", "at", "loss", "best", "loss", "@", "step"]
    assert "0.2 @ 1" in shown
    assert "Student's t" in shown
    assert "threshold at=0.5" in shown
    found = json.loads(json.dumps(comparison_json(comparison)))
    assert found["config_differences"] == {"at": {"run-1": 0.5, "run-2": 0.7, "run-3": 0.5}}
    assert found["runs"]["run-1"]["metrics"]["loss"] == {"final": 0.3, "best": 0.2, "best_step": 1}
    [repeat] = found["repeats"]
    assert repeat["run_ids"] == ["run-1", "run-3"]
    assert repeat["metrics"]["loss"]["count"] == 2


def test_a_pair_is_a_name_and_a_value() -> None:
    assert Pair(value_needed=True).convert("a=b=c", None, None) == ("a", "b=c")
    assert Pair(value_needed=False).convert("a", None, None) == ("a", None)
    for text in ("a", "=b", ""):
        with pytest.raises(click.BadParameter, match="NAME=VALUE"):
            Pair(value_needed=True).convert(text, None, None)
