"""A batch becomes rows and dead letters: every record exactly one of the two."""

import json
import math
from uuid import UUID

import pytest

from modeltrail.schemas import events
from modeltrail.schemas.events import DeadLetterReason, Fact
from modeltrail.schemas.ids import (
    ExperimentId,
    Micros,
    ModelId,
    NodeId,
    RunId,
    SessionId,
    Sha256,
    Version,
)
from modeltrail.sinks.errors import TooManyDeadLetters
from modeltrail.sinks.projector.records import Projected, TableRows
from tests.unit.sinks.batches import (
    APPENDED_MS,
    CODEC,
    TOPIC_ID,
    event_id,
    measured,
    projected,
    records,
)

NOW = Micros(APPENDED_MS * 1000)
RUN = RunId("run-1")
SHA256 = Sha256(b"\xab" * 32)


def logged(names: tuple[str, ...], values: tuple[float, ...], step: int | None = 0) -> Fact:
    return events.MetricsLogged(event_id(9), NOW, RUN, step, names, values)


def reasons(result: Projected) -> list[DeadLetterReason]:
    return [letter.reason for letter in result.dead_letters]


def table(result: Projected, name: str) -> TableRows:
    (rows,) = [rows for rows in result.rows if rows.table == name]
    return rows


def test_a_measurement_becomes_one_row_with_its_place_in_kafka() -> None:
    result = projected(records("inference", [measured(7, detect_ms=38.5, faces=None)]))

    (rows,) = result.rows
    assert (rows.table, rows.part, len(rows)) == ("measurement_rows", "202601", 1)
    row = {name: column[0] for name, column in rows.columns.items()}
    assert row["offset"] == 100
    assert row["partition"] == 3
    assert row["topic_id"] == TOPIC_ID.encode()
    assert row["detect_ms"] == 38.5
    assert row["artifact_sha256"] == b"77" * 32
    assert row["event_id_bytes"] == event_id(7)
    assert row["captured_at"] == NOW
    assert "faces" not in row, "a column without any value is left to the table's default"
    assert result.dead_letters == ()


def test_nulls_stay_nulls_beside_values() -> None:
    result = projected(records("inference", [measured(1, faces=2), measured(2, faces=None)]))

    assert list(result.rows[0].columns["faces"]) == [2, None]


def test_a_range_over_the_turn_of_a_month_is_split_oldest_month_first() -> None:
    later = APPENDED_MS + 40 * 24 * 3600 * 1000
    batch = records(
        "inference",
        [measured(1), measured(2), measured(3)],
        appended_ms=[APPENDED_MS, later, later],
    )

    assert [(rows.part, len(rows)) for rows in projected(batch).rows] == [
        ("202601", 1),
        ("202602", 2),
    ]


def test_a_late_measurement_is_a_row_like_any_other() -> None:
    result = projected(records("inference", [measured(captured_at=NOW - 3_600_000_000)]))

    assert len(result.rows[0]) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_id": ""}, DeadLetterReason.INVALID_FACT),
        ({"node_id": "x" * 1001}, DeadLetterReason.INVALID_FACT),
        ({"session_id": "a\x07b"}, DeadLetterReason.INVALID_FACT),
        ({"version": ""}, DeadLetterReason.INVALID_FACT),
        ({"environment": "x" * 1001}, DeadLetterReason.INVALID_FACT),
        ({"arm": "境" * 1001}, DeadLetterReason.INVALID_FACT),
        ({"captured_at": -1}, DeadLetterReason.INVALID_FACT),
        ({"captured_at": NOW + 10_000_001}, DeadLetterReason.CAPTURED_IN_FUTURE),
        ({"latency_ms": math.nan}, DeadLetterReason.NON_FINITE),
        ({"fps": math.inf}, DeadLetterReason.NON_FINITE),
        ({"sampling_rate": -math.inf}, DeadLetterReason.NON_FINITE),
        ({"extra_names": ("a",), "extra_values": ()}, DeadLetterReason.INVALID_FACT),
        ({"extra_names": ("a", "a"), "extra_values": (1.0, 2.0)}, DeadLetterReason.INVALID_FACT),
        ({"extra_names": ("m" * 251,), "extra_values": (1.0,)}, DeadLetterReason.INVALID_FACT),
        ({"extra_names": ("a",), "extra_values": (math.nan,)}, DeadLetterReason.NON_FINITE),
        ({"extra_names": ("a",), "extra_values": (1.0,)}, DeadLetterReason.UNDECLARED_METRIC),
        (
            {
                "extra_names": tuple(f"m{i}" for i in range(33)),
                "extra_values": tuple(float(i) for i in range(33)),
            },
            DeadLetterReason.INVALID_FACT,
        ),
    ],
)
def test_a_bad_measurement_becomes_a_dead_letter_and_its_neighbours_stay(
    changes: dict[str, object], reason: DeadLetterReason
) -> None:
    result = projected(records("inference", [measured(1), measured(2, **changes), measured(3)]))

    (letter,) = result.dead_letters
    assert (letter.reason, letter.offset) == (reason, 101)
    assert letter.topic == "modeltrail.inference"
    assert letter.value == CODEC.encode(measured(2, **changes))
    assert list(result.rows[0].columns["offset"]) == [100, 102]


def test_a_capture_up_to_ten_seconds_ahead_is_a_skewed_clock_and_a_row() -> None:
    result = projected(records("inference", [measured(captured_at=NOW + 10_000_000)]))

    assert result.dead_letters == ()


def test_an_extra_metric_counts_from_the_append_time_of_its_declaration() -> None:
    extra = {"extra_names": ("queue_depth",), "extra_values": (2.0,)}
    batch = records(
        "inference",
        [measured(1, **extra), measured(2, **extra), measured(3)],
        appended_ms=[APPENDED_MS - 1, APPENDED_MS, APPENDED_MS],
    )

    result = projected(batch, lambda model, version, names: APPENDED_MS)

    assert [letter.offset for letter in result.dead_letters] == [100]
    rows = {rows.part: rows for rows in result.rows}["202601"]
    assert [list(names) for names in rows.columns["extra_names"]] == [[b"queue_depth"], []]
    assert [list(values) for values in rows.columns["extra_values"]] == [[2.0], []]


def test_bytes_that_are_no_fact_become_dead_letters_with_their_reason() -> None:
    good = CODEC.encode(measured(1))
    result = projected(
        records(
            "inference",
            [None, b"junk", b"\x00\x00\xff\xff\xff", good + b"x", good[:-1], measured(2)],
        )
    )

    assert reasons(result) == [
        DeadLetterReason.UNDECODABLE,
        DeadLetterReason.UNDECODABLE,
        DeadLetterReason.UNKNOWN_SCHEMA_ID,
        DeadLetterReason.UNDECODABLE,
        DeadLetterReason.UNDECODABLE,
    ]
    assert len(result.rows[0]) == 1


def test_a_fact_on_a_topic_it_does_not_belong_to_becomes_a_dead_letter() -> None:
    result = projected(records("nodes", [measured(1)]))

    assert reasons(result) == [DeadLetterReason.UNEXPECTED_RECORD]
    assert result.rows == ()


def test_a_dead_letter_is_the_same_at_every_replay() -> None:
    batch = records("inference", [b"junk"])

    assert projected(batch) == projected(batch)


def test_a_dead_letter_keeps_at_most_256_kib_of_its_value() -> None:
    (letter,) = projected(records("inference", [b"\x01" * 300_000])).dead_letters

    assert letter.value is not None
    assert (len(letter.value), letter.value_size) == (256 * 1024, 300_000)


def test_metrics_become_a_log_row_and_one_row_a_point() -> None:
    result = projected(records("experiments", [logged(("loss", "acc"), (0.5, 0.9), step=None)]))

    points = table(result, "experiment_metric_points").columns
    assert (points["name"], points["value"], points["point"]) == (
        ["loss", "acc"],
        [0.5, 0.9],
        [0, 1],
    )
    assert points["step"] == [None, None]
    log = table(result, "event_log").columns
    assert log["event_type"] == ["MetricsLogged"]
    assert log["event_id"] == [UUID(int=9)]
    assert json.loads(log["payload"][0]) == {
        "event_id": event_id(9).hex(),
        "occurred_at": NOW,
        "run_id": RUN,
        "step": None,
        "names": ["loss", "acc"],
        "values": [0.5, 0.9],
    }


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (logged(("loss",), (math.nan,)), DeadLetterReason.NON_FINITE),
        (logged(("loss",), (math.inf,)), DeadLetterReason.NON_FINITE),
        (logged(("loss", "acc"), (1.0,)), DeadLetterReason.INVALID_FACT),
        (logged(("l" * 10_000,), (1.0,)), DeadLetterReason.INVALID_FACT),
        (events.RunHeartbeat(event_id(1), NOW, RunId("")), DeadLetterReason.INVALID_FACT),
    ],
)
def test_a_bad_experiment_fact_becomes_a_dead_letter(fact: Fact, reason: DeadLetterReason) -> None:
    result = projected(records("experiments", [fact]))

    assert reasons(result) == [reason]
    assert result.rows == ()


def test_facts_of_many_records_become_one_insert_in_offset_order() -> None:
    facts = [
        events.RunStarted(event_id(1), NOW, RUN, ExperimentId("e"), "{}"),
        logged(("loss",), (1.0,)),
        events.RunTagSet(event_id(3), NOW, RUN, "owner", "vision"),
        logged(("loss",), (0.5,)),
        events.RunEnded(event_id(5), NOW, RUN, events.RunStatus.FINISHED),
    ]
    log = table(projected(records("experiments", facts)), "event_log")

    assert log.columns["offset"] == [100, 101, 102, 103, 104]
    assert log.columns["event_type"] == [
        "RunStarted",
        "MetricsLogged",
        "TagSet",
        "MetricsLogged",
        "RunEnded",
    ]


def test_ground_truth_beside_measurements_goes_to_the_log() -> None:
    truth = events.GroundTruthObserved(
        event_id(2), NOW, NodeId("n"), SessionId("s"), 1, ModelId("m"), ("faces",), (1.0,)
    )
    result = projected(records("inference", [measured(1), truth]))

    assert [rows.table for rows in result.rows] == ["measurement_rows", "event_log"]


def test_bytes_in_a_payload_are_hex_digits() -> None:
    registered = events.ModelRegistered(
        event_id=event_id(1),
        occurred_at=NOW,
        request_id=event_id(2),
        model_id=ModelId("m"),
        version=Version("v1.0.0"),
        artifact_uri="file:///m",
        artifact_sha256=SHA256,
        artifact_size=5,
        metadata_json="{}",
    )
    log = table(projected(records("registry", [registered])), "event_log")

    assert json.loads(log.columns["payload"][0])["artifact_sha256"] == "ab" * 32


def test_a_request_with_a_bad_id_is_the_registrys_to_answer() -> None:
    request = events.ModelRegistrationRequested(
        event_id(1), NOW, ModelId(""), "file:///m", SHA256, 5, "{}"
    )

    assert projected(records("registry", [request])).dead_letters == ()


def test_dead_letters_become_rows_about_what_could_not_be_read() -> None:
    (letter,) = projected(records("inference", [b"junk"])).dead_letters

    (rows,) = projected(records("dead-letters", [letter], first_offset=7)).rows

    row = {name: column[0] for name, column in rows.columns.items()}
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == (
        "modeltrail.inference",
        3,
        100,
    )
    assert (row["offset"], row["value"], row["source_topic_id"]) == (7, b"junk", TOPIC_ID)


def test_a_dead_letter_that_cannot_be_read_is_counted_and_makes_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = projected(records("dead-letters", [b"junk"]))

    assert (result.dead_letters, result.unreadable) == ((), 1)
    assert "partition 3, offset 100" in caplog.text


def test_a_batch_that_is_mostly_unreadable_stops_the_sink() -> None:
    batch = records("inference", [measured(1)] * 79 + [b"junk"] * 21)

    with pytest.raises(TooManyDeadLetters, match=r"21 of 100 .* offsets 100 to 199"):
        projected(batch, limit=0.2)


@pytest.mark.parametrize("count", [(80, 20), (0, 99)])
def test_a_few_dead_letters_or_a_small_batch_do_not_stop_the_sink(count: tuple[int, int]) -> None:
    good, bad = count
    batch = records("inference", [measured(1)] * good + [b"junk"] * bad)

    assert len(projected(batch, limit=0.2).dead_letters) == bad
