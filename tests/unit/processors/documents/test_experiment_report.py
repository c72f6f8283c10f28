"""The experiment report: results, intervals, and conclusions by rules."""

import json
import math
import re
import statistics
from collections.abc import Mapping, Sequence

import pytest

from modeltrail.processors.documents.citing import Source
from modeltrail.processors.documents.conclusions import CONCLUSION, NEXT_STEP, drawn, rules
from modeltrail.processors.documents.document import Document
from modeltrail.processors.documents.experiment_dossier import fold_experiment
from modeltrail.processors.documents.experiment_report import experiment_report
from modeltrail.processors.documents.findings import Finding, findings
from modeltrail.processors.documents.rendering import html_of, markdown_of
from modeltrail.processors.documents.tables import sparkline
from modeltrail.schemas.events import (
    ArtifactLogged,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import ExperimentId, Micros, RunId
from tests.unit.processors.documents.log import START_US, Log

EXPERIMENT = ExperimentId("detector")


def report_of(log: Log) -> Document:
    return experiment_report(EXPERIMENT, log.facts, Micros(START_US + 10**9))


def found_in(log: Log) -> dict[str, list[Finding]]:
    runs = fold_experiment(EXPERIMENT, log.facts)
    by_name: dict[str, list[Finding]] = {}
    for finding in findings(runs):
        by_name.setdefault(finding.name, []).append(finding)
    return by_name


def run(
    log: Log,
    name: str,
    curve: Sequence[float],
    *,
    metric: str = "accuracy",
    status: RunStatus = RunStatus.FINISHED,
    **config: object,
) -> None:
    about = {"run_id": RunId(name)}
    log.add(RunStarted, **about, experiment_id=EXPERIMENT, config_json=json.dumps(config))
    for step, value in enumerate(curve):
        log.add(MetricsLogged, **about, step=step, names=(metric,), values=(value,))
    log.add(RunEnded, **about, status=status)


def test_repeats_have_the_t_interval_of_their_final_values() -> None:
    # Given three runs that differ by the seed
    log = Log()
    finals = (0.90, 0.92, 0.97)
    for seed, final in enumerate(finals):
        run(log, f"run-{seed}", [0.1, final], width=8, seed=seed)

    # Then the interval is mean +- t(0.975, 2) s / sqrt(3), with t = 4.3027
    mean, half = statistics.fmean(finals), 4.302653 * statistics.stdev(finals) / math.sqrt(3)
    repeats = report_of(log).parts["repeats"]
    assert f"| {mean:.4g} [[" in repeats
    assert f"| {mean - half:.4g} to {mean + half:.4g} |" in repeats


def test_configurations_whose_intervals_lie_apart_are_told_apart() -> None:
    log = Log()
    for seed in range(3):
        run(log, f"narrow-{seed}", [0.70 + seed / 1000], width=8, seed=seed)
        run(log, f"wide-{seed}", [0.90 + seed / 1000], width=32, seed=seed)

    (found,) = found_in(log)["separation"]

    assert found.subject == "width=32 is better than width=8"
    half = 4.302653 * 0.001 / math.sqrt(3)
    assert found.value == pytest.approx(0.2 - 2 * half, abs=1e-6)
    assert "width=32 is better than width=8" in report_of(log).parts["conclusions"]


def test_configurations_whose_intervals_overlap_are_not() -> None:
    log = Log()
    for seed in range(3):
        run(log, f"narrow-{seed}", [0.70 + seed / 10], width=8, seed=seed)
        run(log, f"wide-{seed}", [0.75 + seed / 10], width=32, seed=seed)

    assert "separation" not in found_in(log)
    assert "cannot be told apart yet" in report_of(log).parts["conclusions"]


def test_a_run_that_got_worse_is_to_stop_earlier_and_one_that_improves_to_go_on() -> None:
    # Given a loss that fell and rose again, and one that still falls
    log = Log()
    run(log, "overfit", [1.0 - step / 10 for step in range(10)] + [0.5], metric="loss")
    run(log, "short", [1.0 - step / 20 for step in range(20)], metric="loss")

    # Then each is advised what its own curve shows
    found = found_in(log)
    behind = {each.subject: each.value for each in found["worse_than_best"]}
    assert behind["overfit"] == pytest.approx((0.5 - 0.1) / 0.9)
    assert behind["short"] == 0
    improving = {each.subject: each.value for each in found["still_improving"]}
    assert improving["short"] == pytest.approx(2 / 19)
    steps = report_of(log).parts["next_steps"]
    assert "Stop overfit earlier" in steps
    assert "Train short longer" in steps
    assert "Stop short" not in steps


def test_runs_that_failed_are_named_with_their_reason() -> None:
    log = Log()
    run(log, "good", [0.5])
    run(log, "bad", [0.4], status=RunStatus.FAILED)

    document = report_of(log)

    assert found_in(log)["failed_share"][0].value == 0.5
    assert "`bad` FAILED" in document.parts["failures"]
    assert "0.5 of all runs" in document.parts["next_steps"]
    assert "`bad`" not in document.parts["best"]


def test_a_single_run_is_no_ground_for_a_conclusion_about_chance() -> None:
    log = Log()
    run(log, "only", [0.5, 0.6])

    document = report_of(log)

    assert document.parts["repeats"] == ""
    assert "Repeat 1 configurations" in document.parts["next_steps"]


def test_values_that_are_no_numbers_are_shown_and_not_compared() -> None:
    log = Log()
    run(log, "diverged", [0.5, math.nan])
    run(log, "fine", [0.5, 0.7])

    document = report_of(log)

    assert "nan" in document.parts["results"]
    assert "`fine`" in document.parts["best"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.7e308])
def test_a_run_that_diverged_is_laid_out_all_the_same(bad: float) -> None:
    # Given a loss that left the numbers that can be drawn
    log = Log()
    run(log, "diverged", [0.5, -1.7e308, bad, 0.25], metric="loss")
    run(log, "lost", [bad, bad], metric="loss")

    # Then Markdown and HTML are made
    text = markdown_of(report_of(log))
    assert "diverged: " in text
    assert html_of(report_of(log)).count("<svg") == 1


def test_a_value_that_is_not_finite_is_a_gap_in_the_bars() -> None:
    assert sparkline([0.0, math.inf, 1.0, math.nan, 0.5]) == "▁·█·▅"
    assert sparkline([math.nan, math.nan]) == "··"
    assert sparkline([]) == ""


def test_of_two_final_values_at_one_step_the_later_counts() -> None:
    # Given a step that was logged again, as a resumed run does
    log = Log()
    about = {"run_id": RunId("again")}
    log.add(RunStarted, **about, experiment_id=EXPERIMENT, config_json="{}")
    for value in (0.5, 0.75):
        log.add(MetricsLogged, **about, step=3, names=("accuracy",), values=(value,))
    log.add(RunEnded, **about, status=RunStatus.FINISHED)

    # Then the report has the value that the view `experiment_metrics` calls final
    assert "| `again` | 0.75 [[" in report_of(log).parts["results"]


def test_the_settings_that_all_runs_share_are_told_with_where_they_were_logged() -> None:
    # Given two runs that share a setting of their start and one that was logged later
    log = Log()
    for name, seed in (("a", 1), ("b", 2)):
        run(log, name, [0.5], width=8, seed=seed)
        log.add(ParamsLogged, run_id=RunId(name), params_json='{"rows": 640}')

    # Then both are there, and what differs is not
    document = report_of(log)
    shared = document.parts["configuration"]
    assert "| width | 8 [[" in shared
    assert "| rows | 640 [[" in shared
    assert "seed" not in shared
    # And they cite the starts and the parameters of both runs
    numbers = {int(each) for each in re.findall(r"#event-(\d+)", shared)}
    cited = {
        source.record: source.events for number, source in document.sources if number in numbers
    }
    assert cited == {"RunStarted": 2, "ParamsLogged": 2}


def test_artifacts_and_tags_are_told() -> None:
    log = Log()
    log.add(RunStarted, run_id=RunId("a"), experiment_id=EXPERIMENT, config_json="{}")
    log.add(ArtifactLogged, run_id=RunId("a"), name="model.onnx", artifact_size=1234)
    log.add(RunTagSet, run_id=RunId("a"), name="owner", value="video team")
    log.add(RunTagSet, run_id=RunId("a"), name="draft", value="yes")
    log.add(RunTagSet, run_id=RunId("a"), name="draft", value=None)

    parts = report_of(log).parts

    assert "| `a` | model.onnx | 1,234 [[" in parts["artifacts"]
    assert "owner: video team [[" in parts["setup"]
    assert "draft" not in parts["setup"]


def test_a_conclusion_cites_all_that_its_number_counts() -> None:
    # Given twelve runs of which one failed
    log = Log()
    for place in range(11):
        run(log, f"run-{place}", [place / 10], seed=place)
    run(log, "bad", [0.5], status=RunStatus.FAILED)

    # Then the share that failed cites all twelve ends, and the best of twelve their final values
    document = report_of(log)
    sources = dict(document.sources)
    for part, record in (("next_steps", "RunEnded"), ("conclusions", "MetricsLogged")):
        line = next(
            line for line in document.parts[part].splitlines() if record_of(line, sources) == record
        )
        (number,) = re.findall(r"#event-(\d+)", line)
        assert sources[int(number)].events == 12


def record_of(line: str, sources: Mapping[int, Source]) -> str:
    """The record that the last mark of a line cites."""
    return sources[int(re.findall(r"#event-(\d+)", line)[-1])].record


def test_an_experiment_that_nobody_ran_says_so() -> None:
    text = markdown_of(report_of(Log()))
    assert "No run has begun." in text


def test_the_page_draws_each_metric() -> None:
    log = Log()
    run(log, "a", [0.1, 0.2, 0.3])

    assert html_of(report_of(log)).count("<svg") == 1


def test_every_rule_speaks_of_a_finding_that_exists() -> None:
    from modeltrail.processors.documents import findings as module

    assert module.__doc__ is not None
    for rule in rules():
        assert rule.finding in module.__doc__
        assert rule.kind in (CONCLUSION, NEXT_STEP)
        assert rule.says(Finding(rule.finding, "a run", "loss", 0.5, ()))


def test_a_rule_fires_between_its_limits_only() -> None:
    few = [rule for rule in rules() if rule.finding == "few_repeats"]
    said = [
        len(list(drawn([Finding("few_repeats", "x", "loss", value, ())], NEXT_STEP, few)))
        for value in (0, 2, 4, 5)
    ]
    assert said == [0, 1, 1, 0]
