"""Comparing runs: where settings differ, the best of each metric, means over repeated runs."""

from collections.abc import Mapping
from typing import Any

import pytest
from scipy import stats  # type: ignore[import-untyped]

from modeltrail.producers.errors import UnknownRun
from modeltrail.producers.experiments.comparison import BestMetric, Comparison
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.intervals import MeanInterval, mean_interval, t_quantile
from modeltrail.schemas.metric_directions import is_higher_better


def compared(tracker: ExperimentTracker, **configs: Mapping[str, Any]) -> Any:
    for run_id, config in configs.items():
        tracker.start_experiment("threshold", config, run_id=run_id)
    return tracker.compare_experiments(list(configs))


def test_only_settings_that_differ_are_named(tracker: ExperimentTracker) -> None:
    comparison = compared(
        tracker,
        a={"at": 0.3, "size": 640, "optimizer": {"name": "sgd", "lr": 0.1}, "flag": True},
        b={"at": 0.5, "size": 640, "optimizer": {"name": "sgd", "lr": 0.2}, "flag": 1},
        c={"at": 0.5, "size": 640, "optimizer": {"name": "sgd", "lr": 0.2}, "extra": None},
    )

    assert comparison.config_differences == {
        "at": {"a": 0.3, "b": 0.5, "c": 0.5},
        "extra": {"c": None},
        "flag": {"a": True, "b": 1},
        "optimizer.lr": {"a": 0.1, "b": 0.2, "c": 0.2},
    }
    assert list(comparison) == ["a", "b", "c"]
    assert len(comparison) == 3
    assert isinstance(comparison["a"], Comparison)
    with pytest.raises(KeyError):
        comparison["d"]


def test_params_that_came_later_are_settings_too(tracker: ExperimentTracker) -> None:
    with tracker.run("threshold", {"at": 0.3, "workers": 1}, run_id="a") as run:
        run.log_params({"workers": 4})
    with tracker.run("threshold", {"at": 0.3, "workers": 1}, run_id="b"):
        pass

    comparison = tracker.compare_experiments(["a", "b"])

    assert comparison.config_differences == {"workers": {"a": 4, "b": 1}}


def test_the_best_value_and_its_first_step_follow_the_name_or_the_argument(
    tracker: ExperimentTracker,
) -> None:
    with tracker.run("threshold", run_id="a") as run:
        for step, value in enumerate((0.5, 0.2, 0.9, 0.2, 0.9)):
            run.log_metrics({"loss": value, "recall": value}, step=step)

    best = tracker.compare_experiments(["a"])["a"].best_metrics
    assert best["loss"] == BestMetric(1, 0.2, higher_is_better=False)
    assert best["recall"] == BestMetric(2, 0.9, higher_is_better=True)

    said = tracker.compare_experiments(["a"], higher_is_better={"loss": True})["a"].best_metrics
    assert said["loss"] == BestMetric(2, 0.9, higher_is_better=True)
    assert said["recall"].value == 0.9
    low = tracker.compare_experiments(["a"], higher_is_better=False)["a"].best_metrics
    assert {low[name].value for name in low} == {0.2}


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        *(
            (name, False)
            for name in ("loss", "val_loss", "valLoss", "RMSE", "latency_ms", "fit/mae")
        ),
        *((name, True) for name in ("accuracy", "f1", "recall", "roc_auc", "glossiness", "mAP50")),
    ],
)
def test_a_name_says_which_way_is_better(name: str, higher: bool) -> None:
    assert is_higher_better(name) is higher


def test_runs_that_differ_by_their_seed_repeat_each_other(tracker: ExperimentTracker) -> None:
    for seed, recall in enumerate((0.8, 0.9, 1.0)):
        for at in (0.3, 0.5):
            config = {"at": at, "data": {"seed": seed}}
            with tracker.run("threshold", config, run_id=f"{at}-{seed}") as run:
                run.log_metrics({"recall": recall + at})
    tracker.run("threshold", {"at": 0.3, "data": {"seed": 9}}, run_id="open").log_metrics(
        {"recall": 100}
    )
    runs = [f"{at}-{seed}" for at in (0.3, 0.5) for seed in range(3)]

    low, high = tracker.compare_experiments([*runs, "open"]).repeats

    assert (low.name, low.run_ids) == ("threshold at=0.3", ("0.3-0", "0.3-1", "0.3-2"))
    assert high.name == "threshold at=0.5"
    recall_of = low.metrics["recall"]
    assert recall_of.mean == pytest.approx(1.2)
    expected = stats.t.interval(0.95, 2, loc=1.2, scale=stats.sem([1.1, 1.2, 1.3]))
    assert (recall_of.low, recall_of.high) == pytest.approx(expected)


def test_runs_of_huge_values_are_compared_like_others(tracker: ExperimentTracker) -> None:
    for seed in range(3):
        with tracker.run("threshold", {"seed": seed}, run_id=f"run-{seed}") as run:
            run.log_metrics({"loss": (1.1 + seed / 10) * 1e200})

    [group] = tracker.compare_experiments([f"run-{seed}" for seed in range(3)]).repeats

    found = group.metrics["loss"]
    expected = stats.t.interval(0.95, 2, loc=1.2, scale=stats.sem([1.1, 1.2, 1.3]))
    assert (found.low, found.high) == pytest.approx(tuple(end * 1e200 for end in expected))


def test_groups_may_be_given(tracker: ExperimentTracker) -> None:
    for run_id, metrics in (("a", {"f1": 1.0}), ("b", {"f1": 3.0, "extra": 7.0}), ("c", {})):
        run = tracker.run("threshold", {"name": run_id}, run_id=run_id)
        if metrics:
            run.log_metrics(metrics)

    [group] = tracker.compare_experiments(["a", "b", "c"], groups={"mine": ["a", "b", "c"]}).repeats

    assert (group.name, group.run_ids) == ("mine", ("a", "b", "c"))
    assert group.metrics["f1"].mean == 2.0
    assert group.metrics["extra"] == MeanInterval(1, 7.0, None, None)
    with pytest.raises(UnknownRun, match="names run 'd'"):
        tracker.compare_experiments(["a"], groups={"mine": ["a", "d"]})


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_the_quantiles_of_student_are_those_of_scipy(freedom: int, confidence: float) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, freedom)
    assert t_quantile(freedom, confidence) == pytest.approx(expected, rel=1e-9)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert mean_interval([0.5] * 4) == MeanInterval(4, 0.5, 0.5, 0.5)
