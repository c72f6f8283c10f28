"""The registry changes aliases, tags and states of what it knows, and says why where it refuses."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    AliasRequested,
    ArchiveRequested,
    EraseRequested,
    Fact,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    ModelRestored,
    ModelTagSet,
    RefusalReason,
    RegistryRequestRefused,
    RejectionReason,
    TagRequested,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id

MODEL = ModelId("centerface")


def about(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": derived_event_id("test request", number),
        "occurred_at": Micros(number),
        "model_id": MODEL,
        **changes,
    }


def registration(number: int, artifact: str, **changes: Any) -> ModelRegistrationRequested:
    plain = about(
        number,
        artifact_uri=f"file:///{artifact}",
        artifact_sha256=Sha256(hashlib.sha256(artifact.encode()).digest()),
        artifact_size=10,
        metadata_json="{}",
    )
    return ModelRegistrationRequested(**{**plain, **changes})


def alias(number: int, name: str, version: str | None, **changes: Any) -> AliasRequested:
    target = None if version is None else Version(version)
    return AliasRequested(**about(number, alias=name, version=target, **changes))


def erasure(number: int, version: str | None = None) -> EraseRequested:
    return EraseRequested(**about(number, version=None if version is None else Version(version)))


TWO_VERSIONS = (registration(1, "a"), registration(2, "b"))


def answers_to(*facts: Fact) -> list[Fact]:
    """The answers to `facts`, asked of a model with v1.0.0 and v2.0.0."""
    state = ModelState()
    answers: list[Fact] = []
    for fact in (*TWO_VERSIONS, *facts):
        state, new = fold(state, fact)
        answers += new
    return answers[len(TWO_VERSIONS) :]


def reason_of(answer: Fact) -> RefusalReason:
    assert isinstance(answer, RegistryRequestRefused), answer
    return answer.reason


def test_an_alias_is_assigned_moved_and_removed_by_whom_and_why() -> None:
    first, moved, removed = answers_to(
        alias(3, "champion", "v1.0.0", requested_by="trainer", reason="the first"),
        alias(4, "champion", "v2.0.0"),
        alias(5, "champion", None, requested_by="operator", reason="it drifts"),
    )

    assert isinstance(first, AliasAssigned)
    assert (first.version, first.assigned_by, first.reason) == ("v1.0.0", "trainer", "the first")
    assert first.request_id == derived_event_id("test request", 3)
    assert isinstance(moved, AliasAssigned)
    assert moved.version == "v2.0.0"
    assert isinstance(removed, AliasRemoved)
    assert (removed.removed_by, removed.reason) == ("operator", "it drifts")


def test_tags_of_models_and_versions_are_set_and_removed() -> None:
    whole, one, gone = answers_to(
        TagRequested(**about(3, version=None, name="team", value="vision")),
        TagRequested(**about(4, version=Version("v1.0.0"), name="licence", value="MIT")),
        TagRequested(**about(5, version=None, name="team", value=None)),
    )

    assert isinstance(whole, ModelTagSet)
    assert (whole.version, whole.name, whole.value) == (None, "team", "vision")
    assert isinstance(one, ModelTagSet)
    assert (one.version, one.value) == ("v1.0.0", "MIT")
    assert isinstance(gone, ModelTagSet)
    assert gone.value is None


def test_what_is_archived_can_be_restored() -> None:
    archived, restored = answers_to(
        ArchiveRequested(**about(3, version=Version("v1.0.0"), reason="too slow")),
        ArchiveRequested(**about(4, version=Version("v1.0.0"), restore=True)),
    )

    assert isinstance(archived, ModelArchived)
    assert (archived.version, archived.reason) == ("v1.0.0", "too slow")
    assert isinstance(restored, ModelRestored)
    assert restored.version == "v1.0.0"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (alias(3, "champion", "v9.0.0"), RefusalReason.UNKNOWN_VERSION),
        (alias(3, "champion", None), RefusalReason.UNKNOWN_ALIAS),
        (alias(3, "", "v1.0.0"), RefusalReason.INVALID_ALIAS),
        (alias(3, "v1.0.0", "v2.0.0"), RefusalReason.INVALID_ALIAS),
        (alias(3, "a\nb", "v2.0.0"), RefusalReason.INVALID_ALIAS),
        (alias(3, "a", "v2.0.0", reason="x" * 10_001), RefusalReason.INVALID_TEXT),
        (alias(3, "a", "v2.0.0", requested_by="x" * 1001), RefusalReason.INVALID_TEXT),
        (
            TagRequested(**about(3, version=None, name="", value="x")),
            RefusalReason.INVALID_TAG,
        ),
        (
            TagRequested(**about(3, version=None, name="x", value="x" * 10_001)),
            RefusalReason.INVALID_TAG,
        ),
        (
            TagRequested(**about(3, version=Version("v7.0.0"), name="x", value="x")),
            RefusalReason.UNKNOWN_VERSION,
        ),
        (ArchiveRequested(**about(3, version=Version("v7.0.0"))), RefusalReason.UNKNOWN_VERSION),
        (erasure(3, "v7.0.0"), RefusalReason.UNKNOWN_VERSION),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_its_reason(
    request_: Fact, reason: RefusalReason
) -> None:
    (answer,) = answers_to(request_)

    assert reason_of(answer) is reason
    assert isinstance(answer, RegistryRequestRefused)
    assert answer.request_id == request_.event_id
    assert answer.detail


def test_a_model_of_which_nothing_is_registered_is_unknown() -> None:
    _, (answer,) = fold(ModelState(), alias(3, "a", "v1.0.0", model_id="x" * 2000))
    assert reason_of(answer) is RefusalReason.UNKNOWN_MODEL


class TestErasing:
    def test_an_erased_version_takes_no_alias_and_keeps_its_number(self) -> None:
        erased, refused, third = answers_to(
            erasure(3, "v2.0.0"), alias(4, "champion", "v2.0.0"), registration(5, "c")
        )

        assert isinstance(erased, ModelErased)
        assert erased.version == "v2.0.0"
        assert reason_of(refused) is RefusalReason.ERASED
        assert isinstance(third, ModelRegistered)
        assert third.version == "v3.0.0"

    def test_a_version_that_an_alias_names_is_not_erased_before_the_alias_is_gone(self) -> None:
        _, refused, _, erased = answers_to(
            alias(3, "champion", "v1.0.0"),
            erasure(4, "v1.0.0"),
            alias(5, "champion", None),
            erasure(6, "v1.0.0"),
        )

        assert reason_of(refused) is RefusalReason.ALIASED
        assert isinstance(refused, RegistryRequestRefused)
        assert "remove or move 'champion' first" in refused.detail
        assert isinstance(erased, ModelErased)

    def test_an_alias_that_moved_away_leaves_its_version_free(self) -> None:
        _, _, erased = answers_to(
            alias(3, "champion", "v1.0.0"), alias(4, "champion", "v2.0.0"), erasure(5, "v1.0.0")
        )
        assert isinstance(erased, ModelErased)

    def test_a_whole_model_is_not_erased_while_any_alias_points_somewhere(self) -> None:
        *_, refused = answers_to(
            *(alias(3 + number, f"a{number}", "v1.0.0") for number in range(7)), erasure(20)
        )
        assert isinstance(refused, RegistryRequestRefused)
        assert "'a0', 'a1', 'a2', 'a3', 'a4' and 2 more" in refused.detail

    def test_erasing_a_whole_model_spares_what_is_registered_later(self) -> None:
        _, _, old, new = answers_to(
            erasure(3),
            registration(4, "c"),
            alias(5, "champion", "v1.0.0"),
            alias(6, "champion", "v3.0.0"),
        )

        assert reason_of(old) is RefusalReason.ERASED
        assert isinstance(new, AliasAssigned)

    def test_erased_bytes_that_come_again_are_another_version(self) -> None:
        _, again, same, _, third = answers_to(
            erasure(3, "v1.0.0"),
            registration(4, "a"),
            registration(5, "a"),
            erasure(6, "v3.0.0"),
            registration(7, "a"),
        )

        assert isinstance(again, ModelRegistered)
        assert isinstance(same, ModelRegistered)
        assert isinstance(third, ModelRegistered)
        assert [again.version, same.version, third.version] == ["v3.0.0", "v3.0.0", "v4.0.0"]
        assert again.event_id == same.event_id
        first = derived_event_id("ModelRegistered", MODEL, again.artifact_sha256)
        assert len({first, again.event_id, third.event_id}) == 3


class TestLineage:
    def test_signature_and_lineage_of_the_request_are_registered(self) -> None:
        lineage = {
            "run_id": "run-1",
            "dataset": "faces",
            "git_commit": "abc",
            "parent_model_id": "centerface",
            "parent_version": "v1.0.0",
        }
        (answer,) = answers_to(registration(3, "c", **lineage))
        assert isinstance(answer, ModelRegistered)
        assert {name: getattr(answer, name) for name in lineage} == lineage

    @pytest.mark.parametrize(
        "change",
        [
            {"parent_version": "v1.0.0"},
            {"parent_model_id": "centerface", "parent_version": "v7.0.0"},
            {"dataset": "x" * 1001},
            {"git_commit": "a\nb"},
        ],
    )
    def test_a_lineage_that_says_nothing_clear_is_rejected(self, change: dict[str, str]) -> None:
        (answer,) = answers_to(registration(3, "c", **change))
        assert isinstance(answer, ModelRegistrationRejected)
        assert answer.reason is RejectionReason.INVALID_METADATA

    def test_a_parent_of_another_model_is_not_for_this_partition_to_judge(self) -> None:
        lineage = {"parent_model_id": "teacher", "parent_version": "v7.0.0"}
        (answer,) = answers_to(registration(3, "c", **lineage))
        assert isinstance(answer, ModelRegistered)


def test_facts_from_before_requests_were_facts_count() -> None:
    # given an alias that was assigned without a request
    old = AliasAssigned(
        event_id=derived_event_id("old"),
        occurred_at=Micros(3),
        model_id=MODEL,
        alias="champion",
        version=Version("v1.0.0"),
    )
    (refused,) = answers_to(old, erasure(4, "v1.0.0"))
    assert reason_of(refused) is RefusalReason.ALIASED


def test_a_version_that_somebody_else_wrote_does_not_stop_the_registry() -> None:
    # given a registration whose version is none
    _, (given,) = fold(ModelState(), registration(1, "a"))
    assert isinstance(given, ModelRegistered)
    foreign = replace(
        given,
        event_id=derived_event_id("foreign"),
        request_id=derived_event_id("foreign request"),
        artifact_sha256=Sha256(bytes(32)),
        version=Version("latest"),
    )
    (answer,) = answers_to(foreign, registration(5, "c"))
    assert isinstance(answer, ModelRegistered)
    assert answer.version == "v3.0.0"
