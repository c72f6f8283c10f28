"""What a reader makes of the log is what the registry decided by."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.producers.registry.snapshot import RegistrySnapshot
from modeltrail.schemas.events import Fact
from modeltrail.schemas.ids import Micros, Version
from modeltrail.schemas.registry_dialogue import RegistryRequest
from tests.registry_requests import answers_of, request_logs


def snapshot_of(facts: list[Fact]) -> RegistrySnapshot:
    snapshot = RegistrySnapshot()
    for number, fact in enumerate(facts):
        snapshot.absorb(fact, Micros(number))
    return snapshot


@given(request_logs())
def test_readers_and_the_registry_agree_on_versions_aliases_and_erasures(
    log: list[RegistryRequest],
) -> None:
    answers = answers_of(log, ModelState())
    state = ModelState()
    for answer in answers:
        state, _ = fold(state, answer)

    versions = snapshot_of(answers).versions("m")

    assert {model.version for model in versions} == set(state.registered)
    assert {alias: model.version for model in versions for alias in model.aliases} == dict(
        state.aliases
    )
    for model in versions:
        assert model.erased == state.is_erased(Version(model.version))


@given(request_logs(), st.data())
def test_answers_that_come_again_change_nothing(
    log: list[RegistryRequest], data: st.DataObject
) -> None:
    answers = answers_of(log, ModelState())
    again = data.draw(st.lists(st.sampled_from(answers))) if answers else []

    once, repeated = snapshot_of(answers), snapshot_of([*answers, *again])

    assert repeated.versions("m") == once.versions("m")
    assert repeated.history("m") == once.history("m")
    assert repeated.tags("m") == once.tags("m")


@given(request_logs())
def test_bytes_are_unheld_exactly_when_every_version_that_had_them_is_erased(
    log: list[RegistryRequest],
) -> None:
    snapshot = snapshot_of(answers_of(log, ModelState()))
    versions = snapshot.versions("m")

    held = {model.artifact_sha256 for model in versions if not model.erased}
    unheld = {model.artifact_sha256 for model in snapshot.unheld()}

    assert unheld == {model.artifact_sha256 for model in versions} - held
