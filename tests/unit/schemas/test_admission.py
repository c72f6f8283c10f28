"""Tells which rows are facts for every reader alike; what is wrong has a reason."""

import math
from typing import Any

import polars as pl
import pytest

from modeltrail.schemas.admission import (
    APPENDED_MS,
    Declarations,
    admit_measurements,
    admit_truths,
)
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.events import DeadLetterReason, GroundTruthObserved, InferenceMeasured
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId, derived_event_id
from tests.unit.processors.inference_log import CODEC, EPOCH_MS, declared, measured, us


def measurements(*changes: dict[str, Any]) -> pl.DataFrame:
    """Measurements appended at the log's second 0."""
    values = [measured(0, 0, number, **each).value for number, each in enumerate(changes)]
    frame = decode_batch(values, CODEC).frames[InferenceMeasured.record]
    return frame.with_columns(pl.lit(EPOCH_MS, pl.Int64).alias(APPENDED_MS))


def declarations(*names: str, second: float = 0) -> Declarations:
    found = Declarations()
    record = declared(second, *names)
    found.add(record.fact, record.appended_ms)  # type: ignore[arg-type]
    return found


WRONG = [
    ({"node_id": ""}, DeadLetterReason.INVALID_FACT),
    ({"session_id": "a\nb"}, DeadLetterReason.INVALID_FACT),
    ({"model_id": "m" * 1001}, DeadLetterReason.INVALID_FACT),
    ({"environment": "e" * 1001}, DeadLetterReason.INVALID_FACT),
    ({"arm": "a" * 600_000}, DeadLetterReason.INVALID_FACT),
    ({"latency_ms": math.nan}, DeadLetterReason.NON_FINITE),
    ({"sampling_rate": math.inf}, DeadLetterReason.NON_FINITE),
    ({"extra_names": ("queue",), "extra_values": (math.inf,)}, DeadLetterReason.NON_FINITE),
    ({"extra_names": ("queue",), "extra_values": ()}, DeadLetterReason.INVALID_FACT),
    ({"extra_names": (), "extra_values": (1.0,)}, DeadLetterReason.INVALID_FACT),
    (
        {"extra_names": ("queue", "queue"), "extra_values": (1.0, 2.0)},
        DeadLetterReason.INVALID_FACT,
    ),
    ({"extra_names": ("",), "extra_values": (1.0,)}, DeadLetterReason.INVALID_FACT),
    ({"extra_names": ("blur",), "extra_values": (1.0,)}, DeadLetterReason.UNDECLARED_METRIC),
    ({"captured_at": Micros(-1)}, DeadLetterReason.INVALID_FACT),
    ({"captured_at": Micros(-(2**63))}, DeadLetterReason.INVALID_FACT),
    ({"captured_at": us(10) + 1}, DeadLetterReason.CAPTURED_IN_FUTURE),
    ({"captured_at": Micros(2**63 - 1)}, DeadLetterReason.CAPTURED_IN_FUTURE),
]
RIGHT: list[dict[str, Any]] = [
    {},
    {"captured_at": us(10)},
    {"captured_at": Micros(0)},
    {"extra_names": ("queue",), "extra_values": (1.0,)},
    {"environment": ""},
    {"environment": "境" * 1000, "arm": "a" * 1000},
]


@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_a_row_that_is_no_measurement_goes_and_its_neighbours_stay(
    changes: dict[str, Any], reason: DeadLetterReason
) -> None:
    frame, refusals = admit_measurements(measurements({}, changes, {}), declarations("queue").since)

    assert frame["frame"].to_list() == [0, 2]
    assert [(each.position, each.reason) for each in refusals] == [(1, reason)]


@pytest.mark.parametrize("changes", RIGHT)
def test_a_measurement_stays_whole(changes: dict[str, Any]) -> None:
    given = measurements(changes)

    frame, refusals = admit_measurements(given, declarations("queue").since)

    assert refusals == []
    assert frame.equals(given)


def test_nothing_admits_to_nothing() -> None:
    frame, refusals = admit_measurements(measurements({}).clear(), declarations().since)

    assert (frame.height, refusals) == (0, [])


class TestDeclarations:
    def test_a_metric_counts_from_the_append_of_its_declaration_on(self) -> None:
        extra = {"extra_names": ("queue",), "extra_values": (1.0,)}

        at_once = admit_measurements(measurements(extra), declarations("queue").since)
        before = admit_measurements(measurements(extra), declarations("queue", second=0.001).since)

        assert (at_once[0].height, before[0].height) == (1, 0)

    def test_the_earliest_declaration_of_a_name_counts(self) -> None:
        known = declarations("queue", second=5)
        for record in (declared(2, "queue"), declared(9, "queue", "blur")):
            known.add(record.fact, record.appended_ms)  # type: ignore[arg-type]

        assert known.since("centerface", "v1.0.0", ("queue",)) == EPOCH_MS + 2000
        assert known.since("centerface", "v1.0.0", ("queue", "blur")) == EPOCH_MS + 9000
        assert known.since("centerface", "v1.0.0", ("queue", "other")) is None
        assert known.since("centerface", "v2.0.0", ("queue",)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"node_id": NodeId("")}, DeadLetterReason.INVALID_FACT),
        ({"names": ("faces", "blur")}, DeadLetterReason.INVALID_FACT),
        ({"values": (math.nan,)}, DeadLetterReason.NON_FINITE),
    ],
)
def test_a_row_that_is_no_ground_truth_goes(
    changes: dict[str, Any], reason: DeadLetterReason
) -> None:
    plain: dict[str, Any] = {
        "event_id": derived_event_id("truth"),
        "occurred_at": us(0),
        "node_id": NodeId("gate-1"),
        "session_id": SessionId("morning"),
        "frame": 1,
        "model_id": ModelId("centerface"),
        "names": ("faces",),
        "values": (1.0,),
    }
    facts = [GroundTruthObserved(**plain), GroundTruthObserved(**plain | changes)]
    decoded = decode_batch([CODEC.encode(fact) for fact in facts], CODEC)

    frame, refusals = admit_truths(decoded.frames[GroundTruthObserved.record])

    assert frame["position"].to_list() == [0]
    assert [(each.position, each.reason) for each in refusals] == [(1, reason)]
