"""Facts about windows and samples become rows of their tables; those for processors leave none."""

from dataclasses import replace
from typing import Any

import pytest

from modeltrail.schemas import events, topics
from modeltrail.schemas.columns import longs, no_longs
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import DeadLetterReason, Fact, WindowClosed
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros
from modeltrail.sinks.projector.passed_over import PASSED_OVER
from modeltrail.sinks.projector.records import TableRows
from tests.unit.sinks.batches import APPENDED_MS, CODEC, TOPIC_ID, event_id, projected, records

MONTH = "202601"
FEBRUARY = Micros(1_769_904_000_000_000)


def only_table(topic: str, facts: list[Fact]) -> TableRows:
    result = projected(records(topic, facts))
    assert result.dead_letters == ()
    (rows,) = result.rows
    return rows


def row(rows: TableRows, number: int = 0) -> dict[str, Any]:
    return {name: column[number] for name, column in rows.columns.items()}


def closed(*names: str, **changes: Any) -> WindowClosed:
    example = example_fact(WindowClosed)
    metrics = tuple(replace(example.metrics[0], name=name) for name in names)
    return replace(example, metrics=metrics, **changes)


@pytest.mark.parametrize("kind", sorted(PASSED_OVER, key=str))
def test_a_fact_for_processors_alone_is_neither_a_row_nor_a_dead_letter(kind: type[Fact]) -> None:
    (topic,) = [topic for topic in topics.TOPICS if kind in topic.facts]

    result = projected(records(topic.name, [example_fact(kind)] * 3))

    assert (result.rows, result.dead_letters, result.unreadable) == ((), (), 0)


def test_what_lies_between_facts_for_processors_alone_keeps_its_place() -> None:
    partial = example_fact(events.PartialWindow)

    result = projected(records("windows", [partial, closed("fps"), partial, b"junk"]))

    assert list(result.rows[0].columns["offset"]) == [101]
    assert [letter.offset for letter in result.dead_letters] == [103]


@pytest.mark.parametrize("kind", sorted(PASSED_OVER, key=str))
def test_what_only_claims_to_be_a_fact_for_processors_becomes_a_dead_letter(
    kind: type[Fact],
) -> None:
    (topic,) = [topic for topic in topics.TOPICS if kind in topic.facts]
    right = CODEC.encode(example_fact(kind))

    result = projected(records(topic.name, [right, right + b"more", right, right[:-1]]))

    assert result.rows == ()
    assert [(letter.offset, letter.reason) for letter in result.dead_letters] == [
        (101, DeadLetterReason.UNDECODABLE),
        (103, DeadLetterReason.UNDECODABLE),
    ]


def test_partial_windows_whose_columns_do_not_fit_become_a_dead_letter() -> None:
    partials = example_fact(events.PartialWindows)

    result = projected(records("windows", [partials, replace(partials, bins=no_longs())]))

    (letter,) = result.dead_letters
    assert (result.rows, letter.offset, letter.reason) == ((), 101, DeadLetterReason.UNDECODABLE)
    assert "the columns of PartialWindows do not fit" in letter.detail


def test_few_that_do_not_fit_among_many_that_do_stop_nothing() -> None:
    misfit = CODEC.encode(replace(example_fact(events.PartialWindows), bins=no_longs()))
    fits = CODEC.encode(example_fact(events.WindowsDecided))

    result = projected(records("windows", [misfit] * 100 + [fits] * 9_900), limit=0.01)

    assert len(result.dead_letters) == 100


@pytest.mark.parametrize(
    "changes",
    [
        {"bins": no_longs()},
        {"counts": longs([1, -1])},
        {"bins": longs([1, 2**31])},
        {"bins": longs([-(2**31), 1])},
    ],
    ids=str,
)
def test_a_window_whose_bins_do_not_fit_their_counts_becomes_a_dead_letter(
    changes: dict[str, Any],
) -> None:
    window = closed("fps", "latency_ms")
    misfit = replace(window, metrics=(window.metrics[0], replace(window.metrics[1], **changes)))
    with pytest.raises(DecodeError):
        CODEC.decode(CODEC.encode(misfit))

    result = projected(records("windows", [misfit, window]))

    assert [list(rows.columns["offset"]) for rows in result.rows] == [[101, 101]]
    assert [(letter.offset, letter.reason) for letter in result.dead_letters] == [
        (100, DeadLetterReason.INVALID_FACT)
    ]


def test_a_fact_for_processors_alone_on_another_topic_becomes_a_dead_letter() -> None:
    result = projected(records("alerts", [example_fact(events.PartialWindow)]))

    assert [letter.reason for letter in result.dead_letters] == [DeadLetterReason.UNEXPECTED_RECORD]


def test_a_window_becomes_one_row_a_metric_with_all_its_statistics() -> None:
    rows = only_table("windows", [closed("fps", "latency_ms"), closed("faces", final=True)])

    assert (rows.table, rows.part, len(rows)) == ("window_rows", MONTH, 3)
    assert list(rows.columns["metric"]) == [b"fps", b"latency_ms", b"faces"]
    assert list(rows.columns["final"]) == [False, False, True]
    example = example_fact(WindowClosed)
    statistics = example.metrics[0]
    first = row(rows)
    for name in ("count", "sum_whole", "sum_fraction", "mean", "min", "max", "p50", "p95", "p99"):
        assert first[name] == getattr(statistics, name)
    assert (first["bins"], first["counts"]) == ([131728, 131732], [2, 1])
    assert (first["start"], first["end"]) == (example.start, example.end)
    assert first["model_id"] == b"centerface"
    assert first["event_id_bytes"] == example.event_id
    assert (first["topic_id"], first["partition"], first["offset"], first["appended_at"]) == (
        TOPIC_ID.encode(),
        3,
        100,
        APPENDED_MS,
    )


def test_a_window_without_a_metric_has_no_row() -> None:
    assert projected(records("windows", [closed()])).rows == ()


def test_windows_are_split_by_the_month_of_their_end() -> None:
    facts = [closed("fps", end=FEBRUARY), closed("fps"), closed("fps", end=Micros(FEBRUARY - 1))]

    result = projected(records("windows", facts))

    assert [(rows.part, list(rows.columns["offset"])) for rows in result.rows] == [
        (MONTH, [101, 102]),
        ("202602", [100]),
    ]


def test_drift_becomes_one_row_a_feature() -> None:
    example = example_fact(events.DriftMeasured)
    second = replace(example.features[0], name="score", kind="CATEGORICAL", drifted=False)

    rows = only_table("windows", [replace(example, features=(*example.features, second))])

    assert (rows.table, list(rows.columns["feature"])) == ("drift_rows", [b"luma_mean", b"score"])
    assert list(rows.columns["drifted"]) == [True, False]
    assert list(rows.columns["psi"]) == [0.31, 0.31]
    assert row(rows)["profile_id_bytes"] == example.profile_id


def test_a_change_point_becomes_a_row() -> None:
    rows = only_table("windows", [example_fact(events.ChangePointDetected)])

    found = row(rows)
    assert rows.table == "change_point_rows"
    assert (found["metric"], found["mean_before"], found["mean_after"], found["worse"]) == (
        b"accuracy",
        0.97,
        0.81,
        True,
    )


def test_a_breach_becomes_a_row_that_says_which_measurement_it_was() -> None:
    example = example_fact(events.ValueBreached)

    found = row(rows := only_table("windows", [example]))

    assert rows.table == "value_breach_rows"
    assert (found["rule"], found["value"]) == (b"HIGH_LATENCY", 61.5)
    assert (found["source_partition"], found["source_offset"]) == (1, 43)
    assert (found["source_appended_at"], found["appended_at"]) == (
        example.appended_at,
        APPENDED_MS,
    )


def test_progress_that_every_partition_is_told_becomes_one_row() -> None:
    told = [
        replace(
            example_fact(events.PartitionAdvanced),
            event_id=event_id(partition),
            partition=partition,
            late=7,
        )
        for partition in (0, 1, 2)
    ]

    found = row(rows := only_table("windows", list(told)))

    assert (rows.table, len(rows)) == ("window_progress_rows", 1)
    assert (found["source_partition"], found["partition"], found["late"]) == (1, 3, 7)


def test_a_sample_becomes_a_row() -> None:
    sample = example_fact(events.MeasurementSampled)
    pair = replace(sample, names=("faces", "fps"), values=(1.0, 25.0))

    rows = only_table("samples", [sample, pair])

    assert (rows.table, rows.part) == ("sample_rows", MONTH)
    assert [list(names) for names in rows.columns["names"]] == [[b"faces"], [b"faces", b"fps"]]
    assert [list(values) for values in rows.columns["values"]] == [[1.0], [1.0, 25.0]]
    assert list(rows.columns["frame"]) == [42, 42]


def test_a_sample_whose_names_and_values_do_not_pair_up_becomes_a_dead_letter() -> None:
    sample = replace(example_fact(events.MeasurementSampled), values=())

    result = projected(records("samples", [sample]))

    assert result.rows == ()
    assert [letter.reason for letter in result.dead_letters] == [DeadLetterReason.INVALID_FACT]


@pytest.mark.parametrize(
    "kind", [*topics.RULES.facts, *topics.ALERTS.facts], ids=lambda kind: kind.__name__
)
def test_rules_and_alerts_go_to_the_log(kind: type[Fact]) -> None:
    (topic,) = [topic for topic in topics.TOPICS if kind in topic.facts]

    rows = only_table(topic.name, [example_fact(kind)])

    assert (rows.table, rows.columns["event_type"]) == ("event_log", [kind.__name__])
