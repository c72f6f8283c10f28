"""Facts about rules, windows, samples and alerts can be asked for in SQL, each counted once."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.topics import create_topics
from modeltrail.schemas import events, topics
from modeltrail.schemas.columns import no_longs
from modeltrail.schemas.events import (
    ANY_MODEL,
    AlertAcknowledged,
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertSilenced,
    AlertUpdated,
    Fact,
    ThresholdsSet,
    WindowClosed,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, new_event_id
from modeltrail.sinks.migrate import migrate
from tests.integration.sinks.log import Log
from tests.integration.sinks.projectors import running_projector

START = Micros(1_767_225_600_000_000)
SECOND = 1_000_000
OTHER = ModelId("silent")
LOGGED = (topics.RULES, topics.ALERTS)
MONITORING_VIEWS = (
    "alert_history",
    "alert_silences",
    "alerts",
    "change_points",
    "coverage",
    "drift",
    "measurement_windows",
    "open_alerts",
    "threshold_rules",
    "truth_samples",
    "value_breaches",
    "window_progress",
)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START / SECOND, UTC) + timedelta(seconds=seconds)


def fact(kind: type[Fact], **changes: Any) -> Any:
    """The example of a kind under an id of its own, with changes."""
    return replace(example_fact(kind), event_id=new_event_id(), **changes)


def alert(kind: type[Fact], number: int, seconds: float, **changes: Any) -> Any:
    """A step of alert `number`, which began at 0 s."""
    return fact(
        kind,
        alert_id=EventId(number.to_bytes(16, "big")),
        occurred_at=Micros(START + int(seconds * SECOND)),
        **({} if kind is AlertAcknowledged else {"opened_at": START}),
        **changes,
    )


def windows() -> list[Fact]:
    closed = example_fact(WindowClosed)
    (latency,) = closed.metrics
    fps = replace(latency, name="fps", bins=no_longs(), counts=no_longs())
    decided = fact(WindowClosed, metrics=(fps, latency))
    final = fact(
        WindowClosed,
        final=True,
        measurements=4,
        metrics=(replace(latency, count=4, mean=25.0),),
    )
    later = {"start": Micros(START + 10 * SECOND), "end": Micros(START + 20 * SECOND)}
    return [
        final,
        decided,
        decided,
        fact(WindowClosed, **later),
        fact(WindowClosed, **later, environment="staging", metrics=()),
        *progress(),
    ]


def progress() -> list[Fact]:
    """Two steps of source partition 1, told to two partitions; the first one twice."""
    first = fact(events.PartitionAdvanced, partition=0, late=2, refused=1)
    second = fact(
        events.PartitionAdvanced,
        partition=0,
        advanced_to=Micros(first.advanced_to + 10 * SECOND),
        late=1,
        truths=5,
        unmatched_truths=6,
        evicted_samples=7,
        out_of_range=8,
    )
    told_again = fact(events.PartitionAdvanced, partition=1, late=2, refused=1)
    return [first, told_again, first, second]


def rules() -> list[Fact]:
    own = example_fact(ThresholdsSet)
    (latency,) = own.rules
    default = replace(latency, threshold=80.0, resolve_threshold=None)
    slow = replace(latency, name="LOW_FPS", metric="fps", threshold=25.0)
    refused = fact(ThresholdsSet, rules=(replace(latency, threshold=float("nan")),))
    mine = fact(ThresholdsSet)
    return [
        fact(ThresholdsSet, model_id=ANY_MODEL, rules=(slow,)),
        fact(ThresholdsSet, model_id=ANY_MODEL, rules=(default, slow)),
        mine,
        mine,
        refused,
        fact(events.RuleRejected, rejected_id=refused.event_id),
        fact(events.DriftPolicySet),
    ]


def alerts(now: Micros) -> list[Fact]:
    pending = alert(AlertPending, 1, 0, value=50.5)
    raised = alert(AlertRaised, 1, 30, value=60.5)
    hour = 3600 * SECOND
    in_a_year = Micros(now + 365 * 24 * hour)
    return [
        pending,
        raised,
        alert(AlertUpdated, 1, 90, value=70.5, summary="still above 50"),
        alert(AlertAcknowledged, 1, 100, acknowledged_by="ana", comment="on it"),
        alert(AlertResolved, 1, 120, value=40.5),
        pending,
        raised,
        alert(AlertRaised, 2, 10, rule="LOW_FPS", subject="fps"),
        alert(AlertAcknowledged, 2, 11, acknowledged_by="ben"),
        alert(AlertPending, 3, 20, rule="LOW_FPS", subject="luma"),
        alert(AlertAcknowledged, 9, 20),
        fact(AlertSilenced, rule="LOW_FPS", subject="", starts_at=START, ends_at=in_a_year),
        fact(AlertSilenced, rule="", subject="", starts_at=START, ends_at=Micros(START + hour)),
        fact(AlertSilenced, model_id=OTHER, rule="", starts_at=START, ends_at=in_a_year),
    ]


def samples_and_truths() -> tuple[list[Fact], list[Fact]]:
    labelled = fact(events.MeasurementSampled)
    waiting = fact(events.MeasurementSampled, frame=43)
    truth = example_fact(events.GroundTruthObserved)
    about = {name: getattr(labelled, name) for name in ("model_id", "node_id", "session_id")}
    first = replace(truth, event_id=new_event_id(), frame=42, names=("faces",), values=(2.0,))
    first = replace(first, **about)
    second = replace(first, event_id=new_event_id(), values=(3.0,))
    return [labelled, waiting, labelled], [first, second]


@pytest.fixture(scope="module")
def log(stack: Settings) -> Log:
    """A log that holds every kind of fact about monitoring, projected."""
    settings = replace(
        stack,
        kafka=replace(stack.kafka, topic_prefix="monitoring."),
        clickhouse=replace(stack.clickhouse, database="monitoring"),
    )
    create_topics(settings.kafka)
    with make_client(settings.clickhouse, database="") as client:
        migrate(client, settings.clickhouse.database)
    log = Log(settings)
    now = Micros(time.time_ns() // 1000)
    model = b"centerface"
    samples, truths = samples_and_truths()
    log.append(topics.REGISTRY, [fact(events.ModelRegistered), fact(events.AliasAssigned)], model)
    log.append(topics.REGISTRY, [fact(events.ModelRegistered, model_id=OTHER)], b"silent")
    log.append(topics.RULES, rules(), model)
    log.append(topics.SAMPLES, samples, model)
    log.append(topics.INFERENCE, [*truths, fact(events.InferenceMeasured, captured_at=now)], model)
    log.append(topics.INFERENCE, [fact(events.TimeMarked, partition=2)])
    log.append(topics.WINDOWS, windows(), model)
    for kind in (events.DriftMeasured, events.ChangePointDetected, events.ValueBreached):
        log.append(topics.WINDOWS, [example_fact(kind)] * 2, model)
    only_for_processors = (
        events.PartialWindow,
        events.PartialWindows,
        events.RecentMeasured,
        events.RecentMeasurements,
        events.WindowsDecided,
    )
    log.append(topics.WINDOWS, [example_fact(kind) for kind in only_for_processors], model)
    log.append(topics.ALERTS, alerts(now), model)
    with running_projector(settings):
        log.wait()
    return log


def test_every_fact_is_taken_and_those_for_processors_alone_leave_no_trace(log: Log) -> None:
    assert log.ask("SELECT reason, detail FROM dead_letters") == []
    logged = log.ask("SELECT DISTINCT event_type FROM event_log WHERE topic IN ('rules', 'alerts')")
    expected = {kind.record.rpartition(".")[2] for topic in LOGGED for kind in topic.facts}
    assert {name for (name,) in logged} == expected
    assert log.ask("SELECT count() FROM event_log WHERE topic IN ('windows', 'samples')") == [(0,)]


@pytest.mark.parametrize("view", MONITORING_VIEWS)
def test_all_columns_of_a_view_can_be_asked_for(log: Log, view: str) -> None:
    ((rows, _),) = log.ask(f"SELECT count(), sum(cityHash64(*)) FROM {view}")
    assert rows > 0


def test_a_window_shows_its_final_content_where_there_is_one(log: Log) -> None:
    rows = log.ask(
        "SELECT end, metric, final, measurements, count, mean, p99, bins, counts "
        "FROM measurement_windows ORDER BY end, metric"
    )

    bins = ([131728, 131732], [2, 1])
    assert rows == [
        (at(10), "fps", False, 3, 3, 22.166666666666668, 23.5, [], []),
        (at(10), "latency_ms", True, 4, 4, 25.0, 23.5, *bins),
        (at(20), "latency_ms", False, 3, 3, 22.166666666666668, 23.5, *bins),
    ]
    assert log.ask("SELECT count(), countIf(final) FROM window_rows") == [(6, 1)]


def test_progress_sums_each_step_once(log: Log) -> None:
    assert log.ask("SELECT * FROM window_progress") == [(1, 4, at(21), 6, 3, 1, 8, 5, 6, 7)]


def test_drift_change_points_and_breaches_count_once(log: Log) -> None:
    assert log.ask("SELECT feature, psi, drifted, streak, profile_id FROM drift") == [
        ("luma_mean", 0.31, True, 3, UUID("0c1f3c5e-7a1b-7c2d-8e3f-4a5b6c7d8e9f"))
    ]
    assert log.ask("SELECT metric, end, mean_before, mean_after, worse FROM change_points") == [
        ("accuracy", at(10), 0.97, 0.81, True)
    ]
    assert log.ask("SELECT rule, metric, value, frame, measured_at FROM value_breaches") == [
        ("HIGH_LATENCY", "latency_ms", 61.5, 42, at(3))
    ]


def test_the_rules_in_force_are_a_models_own_and_the_other_defaults(log: Log) -> None:
    rows = log.ask(
        "SELECT model_id, rule, is_default, threshold, resolve_threshold, minimum_samples "
        "FROM threshold_rules ORDER BY model_id, rule"
    )

    assert rows == [
        ("*", "HIGH_LATENCY", True, 80.0, None, 20),
        ("*", "LOW_FPS", True, 25.0, 45.0, 20),
        ("centerface", "HIGH_LATENCY", False, 50.0, 45.0, 20),
        ("centerface", "LOW_FPS", True, 25.0, 45.0, 20),
        ("silent", "HIGH_LATENCY", True, 80.0, None, 20),
        ("silent", "LOW_FPS", True, 25.0, 45.0, 20),
    ]


def test_an_alert_is_what_its_steps_made_of_it(log: Log) -> None:
    states = log.ask(
        "SELECT alert_id, state, rule, opened_at, raised_at, resolved_at, reason "
        "FROM alerts ORDER BY alert_id"
    )
    assert states == [
        (UUID(int=1), "resolved", "HIGH_LATENCY", at(0), at(30), at(120), "RECOVERED"),
        (UUID(int=2), "open", "LOW_FPS", at(0), at(10), None, ""),
        (UUID(int=3), "pending", "LOW_FPS", at(0), None, None, ""),
    ]
    details = log.ask(
        "SELECT first_value, last_value, updates, acknowledged_by, acknowledged_at, silenced "
        "FROM alerts ORDER BY alert_id"
    )
    assert details == [
        (50.5, 40.5, 1, "ana", at(100), False),
        (61.5, 61.5, 0, "ben", at(11), True),
        (61.5, 61.5, 0, "", None, True),
    ]
    assert log.ask("SELECT alert_id, subject FROM open_alerts") == [(UUID(int=2), "fps")]


def test_the_history_of_an_alert_has_every_step_once(log: Log) -> None:
    rows = log.ask(
        "SELECT step, value, summary, acknowledged_by FROM alert_history "
        f"WHERE alert_id = '{UUID(int=1)}' ORDER BY log_position"
    )

    said = "p95 of latency_ms over 1m is 61.5, above 50"
    assert rows == [
        ("pending", 50.5, said, ""),
        ("raised", 60.5, said, ""),
        ("updated", 70.5, "still above 50", ""),
        ("acknowledged", None, "on it", "ana"),
        ("resolved", 40.5, said, ""),
    ]


def test_silences_say_whether_they_hold_now(log: Log) -> None:
    rows = log.ask("SELECT model_id, rule, active FROM alert_silences ORDER BY 1, 2")
    assert rows == [
        ("centerface", "", False),
        ("centerface", "LOW_FPS", True),
        ("silent", "", True),
    ]


def test_samples_with_and_without_their_truth(log: Log) -> None:
    rows = log.ask(
        "SELECT frame, names, values, has_truth, truth_names, truth_values, truth_at IS NULL "
        "FROM truth_samples ORDER BY frame"
    )
    assert rows == [
        (42, ["faces"], [1.0], True, ["faces"], [2.0], False),
        (43, ["faces"], [1.0], False, [], [], True),
    ]


def test_coverage_counts_what_is_monitored(log: Log) -> None:
    rows = dict(log.ask("SELECT name, (covered, total) FROM coverage"))
    assert rows["measured models that threshold rules judge"] == (1, 1)
    assert rows["model versions behind an alias that are measured"] == (1, 1)
    assert rows["measured model versions with a reference profile"] == (0, 1)
    assert rows["open alerts that somebody looks after"] == (1, 1)
    assert rows["models in use with an ethics assessment"][0] == 0
    assert rows["model versions in use with a card"] == (
        0,
        rows["models in use with an ethics assessment"][1],
    )
    assert rows["model versions in use whose training run is tracked"] == (
        log.ask(
            "SELECT count() FROM model_versions WHERE NOT archived "
            "AND run_id IN (SELECT run_id FROM experiments)"
        )[0][0],
        log.ask("SELECT count() FROM model_versions WHERE NOT archived")[0][0],
    )
    assert rows["versions measured in production that a deployment put there"] == (0, 1)
