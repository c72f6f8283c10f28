"""However often and wherever the registry restarts, the log ends up with the same facts."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.processors.registry.versions import parse_version
from modeltrail.schemas.events import (
    Fact,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    VersionBump,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, derived_event_id


@st.composite
def request_logs(draw: st.DrawFn) -> list[ModelRegistrationRequested]:
    artifacts = draw(st.lists(st.integers(0, 4), max_size=12))
    return [
        ModelRegistrationRequested(
            event_id=derived_event_id("request", number),
            occurred_at=Micros(number),
            model_id=ModelId("m"),
            artifact_uri="file:///a",
            artifact_sha256=Sha256(hashlib.sha256(bytes([artifact])).digest()),
            artifact_size=draw(st.integers(0, 3)),
            metadata_json=draw(st.sampled_from(["{}", "nothing"])),
            bump=draw(st.sampled_from(VersionBump)),
        )
        for number, artifact in enumerate(artifacts)
    ]


def answers_of(log: list[ModelRegistrationRequested], state: ModelState) -> list[Fact]:
    given: list[Fact] = []
    for request in log:
        state, new = fold(state, request)
        given += new
    return given


def recovered(answers: list[Fact]) -> ModelState:
    state = ModelState()
    for answer in answers:
        state, new = fold(state, answer)
        assert new == ()
    return state


@given(request_logs(), st.data())
def test_a_restart_at_any_point_repeats_no_answer_and_changes_none(
    log: list[ModelRegistrationRequested], data: st.DataObject
) -> None:
    # given an uninterrupted run
    expected = answers_of(log, ModelState())
    # when the worker dies after some answers and resumes from any earlier offset
    appended = expected[: data.draw(st.integers(0, len(expected)))]
    committed = data.draw(st.integers(0, len(appended)))
    resumed = appended + answers_of(log[committed:], recovered(appended))
    # then the log holds each answer once, as without the crash
    assert resumed == expected


@given(request_logs(), st.data())
def test_a_zombie_beside_its_successor_gives_facts_of_the_same_identity_and_content(
    log: list[ModelRegistrationRequested], data: st.DataObject
) -> None:
    # given a zombie whose last answers the successor did not see when it recovered
    by_zombie = answers_of(log, ModelState())
    seen = by_zombie[: data.draw(st.integers(0, len(by_zombie)))]
    # when both answer
    by_successor = answers_of(log, recovered(seen))
    # then what they both answered is the same
    assert by_successor == by_zombie[len(seen) :]


@given(request_logs())
def test_every_request_is_answered_and_versions_rise(
    log: list[ModelRegistrationRequested],
) -> None:
    answers = answers_of(log, ModelState())

    answered = {
        answer.request_id
        for answer in answers
        if isinstance(answer, ModelRegistered | ModelRegistrationRejected)
    }
    assert answered == {request.event_id for request in log}
    first_by_id = {a.event_id: a for a in reversed(answers) if isinstance(a, ModelRegistered)}
    firsts = [answer for answer in answers if answer is first_by_id.get(answer.event_id)]
    rising = [parse_version(a.version) for a in firsts if isinstance(a, ModelRegistered)]
    assert rising == sorted(set(rising))
