"""The model card: what it tells, what each number cites, and that nothing breaks out of it."""

import json
import math
import re
import statistics
from dataclasses import replace
from itertools import pairwise
from typing import Any

from huggingface_hub import ModelCard

from modeltrail.processors.documents.document import Document
from modeltrail.processors.documents.model_card import model_card
from modeltrail.processors.documents.rendering import html_of, markdown_of
from modeltrail.schemas.columns import longs
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AliasAssigned,
    DeploymentRequested,
    DeploymentSucceeded,
    DriftMeasured,
    EthicsAssessed,
    MetricsLogged,
    MetricWindow,
    ModelRegistered,
    ModelTagSet,
    ReferenceProfiled,
    RunStarted,
    StepCompleted,
    WindowClosed,
)
from modeltrail.schemas.ids import EventId, Micros, RunId, Version
from tests.unit.processors.documents.log import MODEL, START_US, VERSION, Log

LINK = re.compile(r"\[\[(\d+)\]\]\(#event-\1\)")
WINDOW_US = 10_000_000


def card_of(log: Log) -> Document:
    return model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))


def a_life() -> Log:
    log = Log()
    log.add(RunStarted, run_id=RunId("run-1"), config_json='{"input": 320}')
    log.add(MetricsLogged, run_id=RunId("run-1"), step=1, names=("recall",), values=(0.5,))
    log.add(MetricsLogged, run_id=RunId("run-1"), step=None, names=("recall",), values=(0.875,))
    log.add(
        ModelRegistered,
        run_id=RunId("run-1"),
        metadata_json=json.dumps({"licence": "MIT", "intended_use": "mask faces on cameras"}),
    )
    log.add(AliasAssigned, alias="champion")
    log.add(ReferenceProfiled)
    log.add(DriftMeasured)
    log.add(AlertRaised, alert_id=EventId(b"a" * 16))
    log.add(AlertAcknowledged, alert_id=EventId(b"a" * 16), comment="the lens was dirty")
    log.add(AlertResolved, alert_id=EventId(b"a" * 16))
    request = log.add(DeploymentRequested)
    log.add(StepCompleted, deployment_id=request.fact.event_id)
    log.add(DeploymentSucceeded, deployment_id=request.fact.event_id)
    log.add(EthicsAssessed)
    return log


def windows(log: Log, means: list[float], count: int = 10) -> None:
    for place, mean in enumerate(means):
        bins, counts = longs([134_000]), longs([count])
        metric = MetricWindow(
            "latency_ms", count, 0, 0, mean, mean, mean, mean, mean, mean, bins, counts
        )
        start = START_US + place * WINDOW_US
        log.add(
            WindowClosed,
            window="10s",
            start=Micros(start),
            end=Micros(start + WINDOW_US),
            environment="production",
            arm="champion",
            metrics=(metric,),
        )


def test_every_row_with_a_number_cites_an_event_that_is_listed() -> None:
    # Given a version with all that can be told of one
    log = a_life()
    windows(log, [float(value) for value in range(30, 70)])

    # When its card is laid out
    text = markdown_of(card_of(log))

    # Then each row of each table but the events' own links to a listed event
    body, _, events = text.partition("## Events")
    listed = set(re.findall(r"\| event-(\d+) \|", events))
    lines = body.splitlines()
    rows = [
        line
        for line, below in pairwise(lines)
        if line.startswith("| ") and re.search(r"\d", line) and not below.startswith("|---")
    ]
    assert len(rows) > 15
    assert [row for row in rows if not LINK.search(row)] == []
    assert set(LINK.findall(body)) == listed


def test_a_citation_names_the_place_of_its_event() -> None:
    log = Log()
    log.add(ModelRegistered)
    cited = log.add(ModelTagSet, name="owner", value="video team")

    text = markdown_of(card_of(log))

    number = LINK.findall(next(line for line in text.splitlines() if "Tag owner" in line))[0]
    place = f"`registry` partition 0 offset {cited.offset}"
    assert f"| event-{number} | ModelTagSet | {place} |" in text


def test_the_final_value_of_a_metric_is_the_one_logged_as_final() -> None:
    assert "| recall | 0.875 " in markdown_of(card_of(a_life()))


def test_the_mean_on_live_frames_and_its_interval_are_those_of_batch_means() -> None:
    # Given forty windows of equal size, whose means wander
    log = Log()
    log.add(ModelRegistered)
    means = [50 + 10 * math.sin(place / 3) for place in range(40)]
    windows(log, means)

    # When the card tells of them
    part = card_of(log).parts["live_results"]

    # Then the interval is Student's t over six batches of six windows: t(0.975, 5) is 2.5706
    mean = statistics.fmean(means)
    batches = [statistics.fmean(means[place * 6 : place * 6 + 6]) for place in range(6)]
    spread = math.fsum((batch - mean) ** 2 for batch in batches) / 5
    half = 2.570582 * math.sqrt(spread / 6)
    assert f"| {mean:.4g} [[" in part
    assert f"| {mean - half:.4g} to {mean + half:.4g} |" in part
    assert "| 400 [[" in part


def test_a_late_final_window_replaces_the_decided_one() -> None:
    log = Log()
    log.add(ModelRegistered)
    windows(log, [10.0])
    windows(log, [30.0])

    assert "| 30 [[" in card_of(log).parts["live_results"]


def test_incidents_say_how_long_they_lasted_and_what_was_found() -> None:
    parts = card_of(a_life()).parts

    assert "HIGH\\_LATENCY" in parts["incidents"]
    assert " s [[" in parts["incidents"]
    assert "the lens was dirty" in parts["troubleshooting"]


def test_an_assessment_is_told_by_area_with_its_intervals() -> None:
    # Given an assessment whose report has figures of three areas, one of them not judged
    log = Log()
    log.add(ModelRegistered)
    ratio = {"value": 0.71, "interval": [0.6, 0.82], "n": 400}
    report = {
        "fairness": {"sex": {"demographic_parity_ratio": ratio, "accuracy": {"value": None}}},
        "privacy": {"anonymity": {"k_anonymity": {"value": 3, "interval": None, "n": 400}}},
    }
    log.add(EthicsAssessed, report_json=json.dumps(report))

    # Then each is a row of its own part
    parts = card_of(log).parts
    row = "| fairness.sex.demographic\\_parity\\_ratio | 0.71 [["
    assert row in parts["fairness"]
    assert "| 0.6 to 0.82 | 400 |" in parts["fairness"]
    assert "accuracy" not in parts["fairness"]
    assert "| privacy.anonymity.k\\_anonymity | 3 [[" in parts["privacy"]
    assert parts["transparency"] == ""


def test_the_life_of_another_version_is_not_told() -> None:
    # Given an incident and a deployment of another version
    log = Log()
    log.add(ModelRegistered)
    log.add(AlertRaised, version="v1.0.0")
    log.add(DeploymentRequested, version="v1.0.0")

    # Then this version's card has neither
    parts = card_of(log).parts
    assert parts["incidents"] == ""
    assert parts["deployments"] == ""


def test_a_fact_that_comes_again_is_told_once() -> None:
    once = a_life()
    again = a_life()
    again.facts += [replace(cited, offset=cited.offset + 100) for cited in a_life().facts]

    assert markdown_of(card_of(again)) == markdown_of(card_of(once))


def test_hugging_face_reads_the_card() -> None:
    card = ModelCard(markdown_of(card_of(a_life())))
    data: Any = card.data

    assert data.license == "MIT"
    assert data.library_name == "onnx"
    results = {result.metric_type: result.metric_value for result in data.eval_results}
    assert results["recall"] == 0.875
    for section in ("Model Details", "Uses", "Bias, Risks, and Limitations", "Evaluation"):
        assert f"## {section}" in card.text


def test_each_number_of_the_head_cites_its_event() -> None:
    # Given a card whose head lists a metric of the run and one of live frames
    log = a_life()
    windows(log, [20.0, 30.0, 25.0])
    text = markdown_of(card_of(log))

    # When Hugging Face's library reads it
    data: Any = ModelCard(text).data

    # Then each result names the place of its event, which the card lists
    places = {each.metric_type: (each.source_name, each.source_url) for each in data.eval_results}
    assert places["recall"][0] == "experiments partition 0 offset 2"
    assert places["latency_ms"][0] == "windows partition 0 offset 1…3"
    for place, url in places.values():
        listed = re.search(rf"\| {url.removeprefix('#')} \|.*", text)
        assert listed is not None
        assert place in listed[0].replace("`", "")


def test_the_head_leaves_out_what_the_hub_does_not_know() -> None:
    log = Log()
    log.add(RunStarted, run_id=RunId("run-1"), config_json="{}")
    for name, value in (("loss", math.inf), ("recall", 0.5)):
        log.add(MetricsLogged, run_id=RunId("run-1"), step=None, names=(name,), values=(value,))
    log.add(ModelRegistered, run_id=RunId("run-1"))

    data: Any = ModelCard(markdown_of(card_of(log))).data

    assert [each.metric_type for each in data.eval_results] == ["recall"]
    assert "| loss | inf [[" in markdown_of(card_of(log))


def test_every_sentence_with_a_number_cites_an_event() -> None:
    # Given what was said of the version in words, with numbers in them
    log = a_life()
    said = {"description": "Trained 3 days.", "limitations": "Under 20 lux it misses 1 of 9 faces."}
    log.add(ModelRegistered, version="v3.0.0", metadata_json=json.dumps(said))
    log.add(AlertRaised, version="v3.0.0")
    card = model_card(MODEL, Version("v3.0.0"), log.facts, Micros(START_US + 10**9), 24.0)

    # Then outside of tables, code and headings no line with a number lacks its mark
    body = re.sub(r"```.*?```", "", markdown_of(card).partition("## Events")[0], flags=re.DOTALL)
    prose = body.partition("\n---\n")[2].splitlines()
    lines = [line for line in prose if re.search(r"\d", line) and line[0] not in "|#"]
    # What is known of the document itself is no number of the log.
    own = ("As of ", "Live metrics, drift and change points")
    assert len(lines) > len(own) + 2
    assert [line for line in lines if not LINK.search(line) and not line.startswith(own)] == []


def test_a_card_says_of_how_many_hours_its_live_metrics_are() -> None:
    log = a_life()
    card = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9), 24.0)
    assert "those of the 24 hours before" in markdown_of(card)


def test_a_metric_without_a_value_in_any_window_is_not_told() -> None:
    log = Log()
    log.add(ModelRegistered)
    windows(log, [20.0], count=0)
    assert card_of(log).parts["live_results"] == ""


def test_the_same_log_gives_the_same_bytes() -> None:
    first, second = a_life(), a_life()
    windows(first, [20.0, 30.0, 25.0])
    windows(second, [20.0, 30.0, 25.0])

    assert markdown_of(card_of(first)) == markdown_of(card_of(second))
    assert html_of(card_of(first)) == html_of(card_of(second))


def test_a_plot_cites_the_windows_that_it_draws() -> None:
    log = Log()
    log.add(ModelRegistered)
    windows(log, [20.0, 30.0, 25.0])

    text = markdown_of(card_of(log))

    caption = text.split("```figure live-latency_ms")[1].split("```")[1].strip().splitlines()[0]
    (number,) = LINK.findall(caption)
    assert f"| event-{number} | WindowClosed | `windows` partition 0 offset 0…2 | 3 |" in text


def test_html_is_one_page_with_its_plots_inside() -> None:
    log = a_life()
    windows(log, [20.0, 30.0, 25.0])

    page = html_of(card_of(log))

    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "<link" not in page
    assert "```" not in page
    anchors = set(re.findall(r'href="#event-(\d+)"', page))
    assert anchors
    assert anchors <= set(re.findall(r'id="event-(\d+)"', page))
