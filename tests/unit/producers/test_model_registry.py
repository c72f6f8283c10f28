"""Registering models and reading what is registered, on a log in memory."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import (
    ArtifactNotFound,
    InvalidFact,
    RegistrationRejected,
    RegistrationTimeout,
)
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    Fact,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    RejectionReason,
)
from modeltrail.schemas.ids import ModelId, derived_event_id
from modeltrail.schemas.topics import REGISTRY, Topic

Facts = Callable[[Topic], list[Fact]]
Wait = Callable[[Callable[[], object]], None]


def other_bytes(path: Path, content: int) -> Path:
    path.write_bytes(b"\x08\x08\x3a\x03\x12\x01" + bytes([content]))
    return path


@pytest.mark.usefixtures("registry_worker")
class TestWithAWorker:
    def test_a_registered_model_is_there_with_everything_it_came_with(
        self, registry: ModelRegistry, onnx_file: Path
    ) -> None:
        version = registry.register_model(
            "centerface", onnx_file, {"task": "faces"}, declared_metrics=["queue_depth"]
        )

        model = registry.get_model("centerface")
        assert model is not None
        assert version == model.version == "v1.0.0"
        assert model.metadata == {"task": "faces"}
        assert model.declared_metrics == ("queue_depth",)
        assert registry.fetch_artifact(model).read_bytes() == onnx_file.read_bytes()

    def test_the_same_bytes_give_the_same_version(
        self, registry: ModelRegistry, onnx_file: Path
    ) -> None:
        first = registry.register_model("centerface", onnx_file)
        other_bytes(onnx_file, 1)
        second = registry.register_model("centerface", onnx_file)
        other_bytes(onnx_file, ord("x"))
        again = registry.register_model("centerface", onnx_file)

        assert (first, second, again) == ("v1.0.0", "v2.0.0", "v1.0.0")
        latest = registry.get_model("centerface")
        assert latest is not None
        assert latest.version == "v2.0.0"

    def test_bumps_raise_the_part_that_was_asked_for(
        self, registry: ModelRegistry, onnx_file: Path
    ) -> None:
        versions = [
            registry.register_model("m", other_bytes(onnx_file, number), bump=bump)
            for number, bump in enumerate(["major", "minor", "patch", "major"])
        ]

        assert versions == ["v1.0.0", "v1.1.0", "v1.1.1", "v2.0.0"]
        assert registry.get_model("m", "v1.1.0") is not None
        assert registry.get_model("m", "v9.9.9") is None

    def test_models_are_listed_by_name(self, registry: ModelRegistry, onnx_file: Path) -> None:
        for name in ("mask", "align", "détecteur"):
            registry.register_model(name, onnx_file)

        assert registry.list_models() == ["align", "détecteur", "mask"]

    def test_another_registry_reads_what_was_written(
        self,
        registry: ModelRegistry,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
        onnx_file: Path,
    ) -> None:
        other = ModelRegistry(settings, log=log, schema_ids=ids)
        assert other.get_model("centerface") is None

        registry.register_model("centerface", onnx_file)

        assert other.get_model("centerface") == registry.get_model("centerface")

    def test_undecodable_records_hide_nothing_and_are_reported(
        self,
        registry: ModelRegistry,
        log: MemoryLog,
        model_key: bytes,
        onnx_file: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        log.append(REGISTRY, model_key, b"\x00\x00\x00\x00\x63 an unknown schema")
        log.append(REGISTRY, model_key, b"no frame")
        registry.register_model("centerface", onnx_file)
        log.append(REGISTRY, model_key, b"")

        with caplog.at_level(logging.WARNING):
            assert registry.get_model("centerface") is not None
        assert caplog.text.count("skipped partition") == 3


class TestWithoutAWorker:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(
            settings, model_registry=replace(settings.model_registry, answer_timeout_s=0.2)
        )

    def test_no_answer_in_time_says_what_to_check_and_that_calling_again_is_safe(
        self, registry: ModelRegistry, onnx_file: Path, facts_in: Facts
    ) -> None:
        with pytest.raises(RegistrationTimeout, match=r"registry worker runs.*is safe"):
            registry.register_model("centerface", onnx_file)

        [request] = facts_in(REGISTRY)
        assert isinstance(request, ModelRegistrationRequested)

    def test_a_request_made_while_kafka_is_away_is_sent_when_it_is_back(
        self,
        registry: ModelRegistry,
        log: MemoryLog,
        onnx_file: Path,
        facts_in: Facts,
        wait_until: Wait,
    ) -> None:
        log.away = True
        with pytest.raises(RegistrationTimeout, match=r"on disk and will be sent"):
            registry.register_model("centerface", onnx_file)
        with pytest.raises(Unavailable):
            registry.get_model("centerface")

        log.away = False

        wait_until(lambda: facts_in(REGISTRY))

    def test_a_rejection_carries_its_reason(
        self,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
        onnx_file: Path,
        model_key: bytes,
    ) -> None:
        registry = ModelRegistry(settings, log=Rejecting(log, ids), schema_ids=ids)

        with pytest.raises(RegistrationRejected, match="no reason at all") as caught:
            registry.register_model("centerface", onnx_file)

        assert caught.value.reason is RejectionReason.INVALID_ARTIFACT
        assert registry.get_model("centerface") is None
        registry.close()


class Rejecting(MemoryLog):
    """A log with a registry that rejects everything."""

    def __init__(self, log: MemoryLog, ids: MemorySchemaIds) -> None:
        super().__init__()
        self._codec = Codec(ids)

    def append(self, topic: Topic, key: bytes, value: bytes):  # type: ignore[no-untyped-def]
        record = super().append(topic, key, value)
        request = self._codec.decode(value)
        if isinstance(request, ModelRegistrationRequested):
            rejection = ModelRegistrationRejected(
                event_id=derived_event_id("rejected", request.event_id),
                occurred_at=request.occurred_at,
                request_id=request.event_id,
                model_id=ModelId("centerface"),
                reason=RejectionReason.INVALID_ARTIFACT,
                detail="no reason at all",
            )
            super().append(topic, key, self._codec.encode(rejection))
        return record


class TestBadCalls:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"model_id": ""}, "model_id is empty"),
            ({"model_id": "x" * 10_000_000}, "has 10000000 characters"),
            ({"model_id": "a\x1fb"}, "unprintable"),
            ({"metadata": {"accuracy": float("nan")}}, "metadata is not JSON"),
            ({"metadata": {"weights": object()}}, "has no JSON form"),
            ({"metadata": {"notes": "x" * 1_000_000}}, "bytes of JSON"),
            ({"metadata": ["a", "list"]}, "give a mapping"),
            ({"declared_metrics": "queue_depth"}, "give a list"),
            ({"declared_metrics": ["a", "a"]}, "twice"),
            ({"declared_metrics": [f"m{number}" for number in range(33)]}, "32 are allowed"),
            ({"declared_metrics": ["latency_ms"]}, "measured of every model"),
            ({"declared_metrics": ["x" * 10_000_000]}, "250 are allowed"),
            ({"bump": "gigantic"}, "give one of major, minor, patch"),
            ({"bump": None}, "give one of"),
        ],
    )
    def test_a_value_that_may_not_become_a_fact_is_refused_at_the_call(
        self,
        registry: ModelRegistry,
        onnx_file: Path,
        log: MemoryLog,
        tmp_path: Path,
        change: dict[str, object],
        message: str,
    ) -> None:
        call: dict[str, object] = {"model_id": "centerface", **change}
        with pytest.raises(InvalidFact, match=message):
            registry.register_model(path=onnx_file, **call)  # type: ignore[arg-type]

        assert log.records(REGISTRY) == []
        assert not (tmp_path / "artifacts").exists()

    def test_a_missing_file_sends_nothing(
        self, registry: ModelRegistry, log: MemoryLog, tmp_path: Path
    ) -> None:
        with pytest.raises(ArtifactNotFound):
            registry.register_model("centerface", tmp_path / "nothing.onnx")
        assert log.records(REGISTRY) == []
