"""However often and wherever the registry restarts, the log ends up with the same facts."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.processors.registry.versions import parse_version
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    Fact,
    ModelErased,
    ModelRegistered,
)
from modeltrail.schemas.ids import Version
from modeltrail.schemas.registry_dialogue import RegistryAnswer, RegistryRequest
from tests.registry_requests import answers_of, request_logs


def recovered(answers: list[Fact]) -> ModelState:
    state = ModelState()
    for answer in answers:
        state, new = fold(state, answer)
        assert new == ()
    return state


@given(request_logs(), st.data())
def test_a_restart_at_any_point_repeats_no_answer_and_changes_none(
    log: list[RegistryRequest], data: st.DataObject
) -> None:
    # given an uninterrupted run
    expected = answers_of(log, ModelState())
    # when the worker dies after some answers and resumes from any earlier offset
    appended = expected[: data.draw(st.integers(0, len(expected)))]
    committed = _offset_of(log, len(appended), data)
    resumed = appended + answers_of(log[committed:], recovered(appended))
    # then the log holds each answer once, as without the crash
    assert resumed == expected


def _offset_of(log: list[RegistryRequest], answered: int, data: st.DataObject) -> int:
    """An offset at or before the first request that has no answer."""
    seen: set[bytes] = set()
    for offset, request in enumerate(log):
        if request.event_id not in seen and len(seen) == answered:
            return data.draw(st.integers(0, offset))
        seen.add(request.event_id)
    return data.draw(st.integers(0, len(log)))


@given(request_logs(), st.data())
def test_a_zombie_beside_its_successor_gives_facts_of_the_same_identity_and_content(
    log: list[RegistryRequest], data: st.DataObject
) -> None:
    # given a zombie whose last answers the successor did not see when it recovered
    by_zombie = answers_of(log, ModelState())
    seen = by_zombie[: data.draw(st.integers(0, len(by_zombie)))]
    # when both answer
    by_successor = answers_of(log, recovered(seen))
    # then what they both answered is the same
    assert by_successor == by_zombie[len(seen) :]


@given(request_logs(), st.data())
def test_answers_that_come_again_change_nothing(
    log: list[RegistryRequest], data: st.DataObject
) -> None:
    answers = answers_of(log, ModelState())
    state = recovered(answers)
    for answer in data.draw(st.lists(st.sampled_from(answers))) if answers else ():
        state, new = fold(state, answer)
        assert new == ()
    assert state == recovered(answers)


@given(request_logs())
def test_every_request_is_answered_once_and_versions_rise(log: list[RegistryRequest]) -> None:
    answers = answers_of(log, ModelState())

    answered = [answer.request_id for answer in answers if isinstance(answer, RegistryAnswer)]
    assert len(answered) == len(answers) == len({request.event_id for request in log})
    assert set(answered) == {request.event_id for request in log}
    first_by_id = {a.event_id: a for a in reversed(answers) if isinstance(a, ModelRegistered)}
    firsts = [answer for answer in answers if answer is first_by_id.get(answer.event_id)]
    rising = [parse_version(a.version) for a in firsts if isinstance(a, ModelRegistered)]
    assert rising == sorted(set(rising))


@given(request_logs())
def test_an_alias_never_points_at_an_erased_version(log: list[RegistryRequest]) -> None:
    aliases: dict[str, Version] = {}
    there: set[Version] = set()
    for answer in answers_of(log, ModelState()):
        match answer:
            case ModelRegistered():
                there.add(answer.version)
            case AliasAssigned():
                aliases[answer.alias] = answer.version
            case AliasRemoved():
                del aliases[answer.alias]
            case ModelErased():
                there -= {answer.version} if answer.version else set(there)
            case _:
                pass
        assert set(aliases.values()) <= there
