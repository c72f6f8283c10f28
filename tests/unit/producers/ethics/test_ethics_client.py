"""The client stores data, asks once, and takes the answer to its own request only."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import ArtifactNotFound
from modeltrail.producers.ethics.client import EthicsClient
from modeltrail.producers.ethics.errors import AssessmentNotMade, AssessmentTimeout, NotAssessed
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.schemas.assessment_settings import assessment_settings
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    AssessmentRefusal,
    AssessmentRefused,
    AssessmentRequested,
    EthicsAssessed,
    Fact,
)
from modeltrail.schemas.ids import EventId, new_event_id
from modeltrail.schemas.topics import ETHICS, Topic, key_of

SETTINGS = assessment_settings("sensitive: [sex]\noutcome: {truth: t, prediction: p}\n")


@pytest.fixture
def client(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> EthicsClient:
    return EthicsClient(settings, log=log, schema_ids=ids)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("sex,t,p\nf,1,1\n")
    return path


@pytest.fixture
def answer(log: MemoryLog, ids: MemorySchemaIds) -> Callable[[Fact], None]:
    codec = Codec(ids)

    def append(fact: Fact) -> None:
        log.append(ETHICS, key_of("credit"), codec.encode(fact))

    return append


def assessed(request: AssessmentRequested, **changes: object) -> EthicsAssessed:
    made = EthicsAssessed(
        event_id=new_event_id(),
        occurred_at=request.occurred_at,
        request_id=request.event_id,
        model_id=request.model_id,
        version=request.version,
        data_sha256=request.data_sha256,
        rows=1,
        bias_risk="LOW",
        privacy_risk="LOW",
        transparency_score=0.5,
        report_json="{}",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_request_names_the_stored_data_and_all_settings(
    client: EthicsClient,
    settings: Settings,
    data: Path,
    facts_in: Callable[[Topic], list[Fact]],
) -> None:
    asked = client.ask("credit", "v1.0.0", data, SETTINGS, requested_by="ci", reason="release")
    (fact,) = facts_in(ETHICS)
    assert fact == asked.request
    assert isinstance(fact, AssessmentRequested)
    assert assessment_settings(fact.settings_json) == SETTINGS
    stored = open_artifact_store(settings).fetch(fact.data_sha256, fact.data_uri)
    assert stored.read_bytes() == data.read_bytes()


def test_only_the_answer_to_its_own_request_is_taken(
    client: EthicsClient, data: Path, answer: Callable[[Fact], None]
) -> None:
    asked = client.ask("credit", "v1.0.0", data, SETTINGS)
    mine = assessed(asked.request)

    def answer_both() -> None:
        answer(assessed(asked.request, request_id=EventId(bytes(16))))
        answer(mine)

    later = threading.Timer(0.1, answer_both)
    later.start()
    waited: list[float] = []
    assert client.answer_to(asked, timeout_s=10, waiting=waited.append) == mine
    assert waited
    assert waited == sorted(waited)


def test_a_refusal_is_an_error_with_its_reason(
    client: EthicsClient, data: Path, answer: Callable[[Fact], None]
) -> None:
    asked = client.ask("credit", "v1.0.0", data, SETTINGS)
    request = asked.request
    answer(
        AssessmentRefused(
            new_event_id(), request.occurred_at, request.event_id, request.model_id,
            request.version, AssessmentRefusal.ONE_GROUP, "give more groups",
        )
    )  # fmt: skip
    with pytest.raises(AssessmentNotMade, match="ONE_GROUP: give more groups") as error:
        client.answer_to(asked, timeout_s=10)
    assert error.value.reason is AssessmentRefusal.ONE_GROUP


def test_without_an_answer_the_request_is_kept(
    client: EthicsClient, data: Path, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    with pytest.raises(AssessmentTimeout, match="modeltrail worker jobs"):
        client.assess("credit", "v1.0.0", data, SETTINGS, timeout_s=0.05)
    assert len(facts_in(ETHICS)) == 1


def test_nothing_is_asked_about_data_that_is_not_there(
    client: EthicsClient, tmp_path: Path, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    with pytest.raises(ArtifactNotFound):
        client.ask("credit", "v1.0.0", tmp_path / "gone.csv", SETTINGS)
    assert facts_in(ETHICS) == []


def test_the_newest_assessment_of_a_version_is_found(
    client: EthicsClient, data: Path, answer: Callable[[Fact], None]
) -> None:
    with pytest.raises(NotAssessed, match="modeltrail ethics assess"):
        client.newest("credit")
    request = client.ask("credit", "v1.0.0", data, SETTINGS).request
    first, second = assessed(request), assessed(request, bias_risk="HIGH")
    answer(first)
    answer(second)
    answer(assessed(request, version="v2.0.0"))
    assert client.newest("credit", "v1.0.0") == second
    assert client.newest("credit").version == "v2.0.0"
