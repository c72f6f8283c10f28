"""The registry gives versions in the order of requests and answers each request once."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.schemas.events import (
    Fact,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    RejectionReason,
    VersionBump,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id


def request(number: int, artifact: str = "a", **changes: Any) -> ModelRegistrationRequested:
    plain = ModelRegistrationRequested(
        event_id=derived_event_id("test request", number),
        occurred_at=Micros(number),
        model_id=ModelId("centerface"),
        artifact_uri=f"file:///{artifact}",
        artifact_sha256=Sha256(hashlib.sha256(artifact.encode()).digest()),
        artifact_size=10,
        metadata_json="{}",
    )
    return replace(plain, **changes)


def replay(*facts: Fact) -> tuple[ModelState, list[Fact]]:
    state = ModelState()
    answers: list[Fact] = []
    for fact in facts:
        state, new = fold(state, fact)
        answers += new
    return state, answers


def versions(answers: list[Fact]) -> list[str]:
    return [answer.version for answer in answers if isinstance(answer, ModelRegistered)]


def test_registrations_get_rising_versions_in_the_order_of_requests() -> None:
    _, answers = replay(
        request(1, "a"),
        request(2, "b"),
        request(3, "c", bump=VersionBump.MINOR),
        request(4, "d", bump=VersionBump.PATCH),
    )
    assert versions(answers) == ["v1.0.0", "v2.0.0", "v2.1.0", "v2.1.1"]


def test_the_same_bytes_again_get_the_version_and_identity_they_have() -> None:
    state, answers = replay(request(1, "a"), request(2, "b"), request(3, "a"))

    first, _, again = answers
    assert isinstance(first, ModelRegistered)
    assert isinstance(again, ModelRegistered)
    assert (again.version, again.event_id) == (first.version, first.event_id)
    assert again.request_id == request(3).event_id
    assert len(state.registered) == 2


def test_a_request_that_was_answered_is_not_answered_again() -> None:
    _, answers = replay(request(1), request(1))
    assert len(answers) == 1


def test_an_answer_in_the_log_decides_even_if_the_rules_would_differ() -> None:
    # given an answer that an older version of the rules gave
    _, (given,) = replay(request(1))
    assert isinstance(given, ModelRegistered)
    recorded = replace(given, version=Version("v7.0.0"))
    # when its request comes after it, and then another
    _, answers = replay(recorded, request(1), request(2, "b"))
    # then the recorded version stands, and the next one follows it
    assert versions(answers) == ["v8.0.0"]


def test_deciding_twice_from_the_same_log_gives_the_same_facts() -> None:
    log = (request(1), request(2, "b"), request(3, "a"), request(4, metadata_json="[]"))
    assert replay(*log) == replay(*log)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_id": ""}, RejectionReason.INVALID_MODEL_ID),
        ({"model_id": "x" * 1001}, RejectionReason.INVALID_MODEL_ID),
        ({"model_id": "a\nb"}, RejectionReason.INVALID_MODEL_ID),
        ({"bump": VersionBump.UNKNOWN}, RejectionReason.UNKNOWN_BUMP),
        ({"artifact_size": 0}, RejectionReason.INVALID_ARTIFACT),
        ({"artifact_uri": ""}, RejectionReason.INVALID_ARTIFACT),
        ({"metadata_json": "[]"}, RejectionReason.INVALID_METADATA),
        ({"metadata_json": "{"}, RejectionReason.INVALID_METADATA),
        ({"metadata_json": "[" * 100_000}, RejectionReason.INVALID_METADATA),
        ({"declared_metrics": ("a", "a")}, RejectionReason.INVALID_DECLARED_METRICS),
        ({"declared_metrics": ("",)}, RejectionReason.INVALID_DECLARED_METRICS),
        ({"declared_metrics": ("x" * 251,)}, RejectionReason.INVALID_DECLARED_METRICS),
        (
            {"declared_metrics": tuple(map(str, range(33)))},
            RejectionReason.INVALID_DECLARED_METRICS,
        ),
    ],
)
def test_a_bad_request_is_rejected_with_its_reason(
    changes: dict[str, Any], reason: RejectionReason
) -> None:
    state, (answer,) = replay(request(1, **changes))

    assert isinstance(answer, ModelRegistrationRejected)
    assert answer.reason is reason
    assert answer.request_id == request(1).event_id
    assert answer.detail
    assert not state.registered


def test_names_with_spaces_slashes_emoji_and_a_thousand_characters_are_models() -> None:
    for number, name in enumerate(("a b", "team/model", "🎭 masker", "x" * 1000)):
        _, answers = replay(request(number, model_id=ModelId(name)))
        assert versions(answers) == ["v1.0.0"]
