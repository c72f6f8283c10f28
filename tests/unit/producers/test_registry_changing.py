"""Aliases, tags, archives and erasures through the SDK, and what the registry remembers of them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import (
    ArtifactCorrupt,
    ArtifactErased,
    ArtifactStoreUnavailable,
    InvalidFact,
    RegistryTimeout,
    RequestRefused,
    UnknownModel,
)
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.producers.registry.lineage import Lineage
from modeltrail.schemas.events import (
    AliasRequested,
    EraseRequested,
    Fact,
    OpsetImport,
    RefusalReason,
    Tensor,
)
from modeltrail.schemas.topics import REGISTRY, Topic

Facts = Callable[[Topic], list[Fact]]
Register = Callable[..., str]
Wait = Callable[[Callable[[], object]], None]


@pytest.fixture
def register(registry: ModelRegistry, tmp_path: Path) -> Register:
    """Registers a model file of one byte of content."""

    def of(content: str, model_id: str = "m") -> str:
        path = tmp_path / "some.onnx"
        path.write_bytes(b"\x08\x08\x3a\x03\x12\x01" + content.encode())
        return registry.register_model(model_id, path)

    return of


def found(registry: ModelRegistry, version: str | None = None, name: str = "m") -> RegisteredModel:
    model = registry.get_model(name, version)
    assert model is not None
    return model


def another(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> ModelRegistry:
    """A registry in another process: it reads the log from its beginning."""
    return ModelRegistry(settings, log=log, schema_ids=ids)


@pytest.mark.usefixtures("registry_worker")
class TestNames:
    def test_a_model_is_found_by_its_alias_wherever_that_points(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a"), register("b")

        registry.set_alias("m", "champion", "v1.0.0")
        assert found(registry, "champion").version == "v1.0.0"
        registry.set_alias("m", "champion", "v2.0.0")
        assert found(registry, "champion").aliases == ("champion",)
        assert found(registry, "v1.0.0").aliases == ()
        registry.remove_alias("m", "champion")

        assert registry.get_model("m", "champion") is None

    def test_history_says_who_changed_what_when_and_why(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a")
        registry.set_alias("m", "champion", "v1.0.0", by="trainer", reason="best recall")
        registry.remove_alias("m", "champion", by="operator", reason="it drifts")
        registry.set_tag("m", "team", "vision", by="trainer")
        registry.archive("m", "v1.0.0", reason="replaced")

        history = registry.history("m")

        told = [
            (step.what, step.version, step.name, step.value, step.by, step.reason)
            for step in history
        ]
        assert told == [
            ("registered", "v1.0.0", "", "", "", ""),
            ("alias assigned", "v1.0.0", "champion", "", "trainer", "best recall"),
            ("alias removed", None, "champion", "", "operator", "it drifts"),
            ("tag set", None, "team", "vision", "trainer", ""),
            ("archived", "v1.0.0", "", "", "", "replaced"),
        ]
        times = [step.at for step in history]
        assert times == sorted(times)
        assert registry.history("nothing") == []

    @pytest.mark.parametrize("name", ["a b", "team/model", "🎭 masker", "x" * 1000])
    def test_ids_with_spaces_slashes_emoji_and_a_thousand_characters_are_names(
        self, registry: ModelRegistry, register: Register, name: str
    ) -> None:
        register("a", name)

        registry.set_alias(name, name, "v1.0.0", by=name)
        registry.set_tag(name, name, name)
        registry.archive(name)

        model = found(registry, name, name)
        assert (model.model_id, model.aliases, model.archived) == (name, (name,), True)
        assert registry.tags(name) == {name: name}
        assert registry.list_models() == [name]

    def test_tags_belong_to_the_model_or_to_one_version(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a")
        registry.set_tag("m", "team", "vision")
        registry.set_tag("m", "licence", "MIT", version="v1.0.0")
        registry.set_tag("m", "gone", "soon", version="v1.0.0")
        registry.remove_tag("m", "gone", version="v1.0.0")

        assert registry.tags("m") == {"team": "vision"}
        assert found(registry).tags == {"licence": "MIT"}

    def test_what_is_archived_is_not_the_latest_until_it_is_restored(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a"), register("b")

        registry.archive("m", "v2.0.0")
        assert found(registry).version == "v1.0.0"
        assert found(registry, "v2.0.0").archived
        registry.archive("m", "v1.0.0")
        assert found(registry).version == "v2.0.0"
        registry.restore("m", "v2.0.0")

        assert not found(registry).archived

    def test_the_newest_word_on_a_version_or_its_model_counts(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a"), register("b")

        registry.archive("m")
        registry.restore("m", "v1.0.0")
        assert [model.archived for model in registry.versions("m")] == [False, True]
        assert found(registry).version == "v1.0.0"
        registry.archive("m")
        assert [model.archived for model in registry.versions("m")] == [True, True]
        registry.restore("m")

        assert [model.archived for model in registry.versions("m")] == [False, False]

    def test_the_registry_can_be_read_as_it_was(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a")
        registry.set_alias("m", "champion", "v1.0.0")
        then = registry.history("m")[-1].at
        register("b")
        registry.set_alias("m", "champion", "v2.0.0")

        past = registry.registry_at(then)
        in_words = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=then)

        for snapshot in (past, registry.registry_at(in_words.replace(tzinfo=None))):
            champion = snapshot.get_model("m", "champion")
            assert champion is not None
            assert champion.version == "v1.0.0"
            assert [model.version for model in snapshot.versions("m")] == ["v1.0.0"]
        assert registry.registry_at(0).list_models() == []

    def test_a_refusal_has_its_reason_and_says_what_to_do(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a")
        with pytest.raises(RequestRefused, match="correct the version") as caught:
            registry.set_alias("m", "champion", "v7.0.0")
        assert caught.value.reason is RefusalReason.UNKNOWN_VERSION


@pytest.mark.usefixtures("registry_worker")
class TestWhatAModelIs:
    def test_signature_and_lineage_come_with_the_version(
        self, registry: ModelRegistry, tmp_path: Path
    ) -> None:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3])
        graph = helper.make_graph([], "graph", [image], [])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        onnx.save(model, str(tmp_path / "made.onnx"))
        parent = registry.register_model("teacher", tmp_path / "made.onnx")
        lineage = Lineage("run-1", "faces", "f00", "abc", "10c", parent=("teacher", parent))

        registry.register_model("m", tmp_path / "made.onnx", lineage=lineage)

        registered = found(registry)
        assert registered.tensors == (Tensor(True, "image", "FLOAT", ("n", "3")),)
        assert registered.opsets == (OpsetImport("", 17),)
        assert registered.lineage == lineage

    def test_a_parent_that_is_not_registered_is_refused_before_the_file_is_stored(
        self, registry: ModelRegistry, onnx_file: Path, settings: Settings
    ) -> None:
        for parent in (("m", "v1.0.0"), ("another", "v1.0.0")):
            with pytest.raises(UnknownModel, match="parent"):
                registry.register_model("m", onnx_file, lineage=Lineage(parent=parent))

        assert not Path(settings.model_registry.path).exists()
        assert registry.list_models() == []

    def test_an_alias_is_no_parent(self, registry: ModelRegistry, onnx_file: Path) -> None:
        registry.register_model("teacher", onnx_file)
        registry.set_alias("teacher", "champion", "v1.0.0")

        with pytest.raises(UnknownModel, match="champion"):
            registry.register_model("m", onnx_file, lineage=Lineage(parent=("teacher", "champion")))

    @pytest.mark.parametrize(
        ("lineage", "message"),
        [
            (Lineage(run_id="a\nb"), "run_id"),
            (Lineage(dataset="x" * 1001), "dataset"),
            (Lineage(parent=("m",)), "give a model id and a version"),  # type: ignore[arg-type]
            (Lineage(parent=("m", "")), "parent version is empty"),
            (Lineage(git_commit=7), "give a string"),  # type: ignore[arg-type]
        ],
    )
    def test_a_lineage_that_may_not_become_a_fact_is_refused_at_the_call(
        self, registry: ModelRegistry, onnx_file: Path, lineage: Lineage, message: str
    ) -> None:
        with pytest.raises(InvalidFact, match=message):
            registry.register_model("m", onnx_file, lineage=lineage)

    def test_a_file_that_was_changed_on_disk_is_not_loaded(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a")
        model = found(registry)
        stored = registry.fetch_artifact(model)
        stored.write_bytes(b"something else")

        for load in (lambda: registry.fetch_artifact(model), lambda: registry.verify("m")):
            with pytest.raises(ArtifactCorrupt) as caught:
                load()
            there = hashlib.sha256(b"something else").hexdigest()
            registered = model.artifact_sha256.hex()
            assert f"holds {there}, not the registered {registered}" in str(caught.value)

    def test_what_is_not_registered_cannot_be_verified(self, registry: ModelRegistry) -> None:
        with pytest.raises(UnknownModel, match="registry list"):
            registry.verify("m", "champion")


@pytest.mark.usefixtures("registry_worker")
class TestErasing:
    def test_the_artifact_goes_and_the_facts_stay(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a"), register("b")
        model = found(registry, "v1.0.0")
        stored = registry.fetch_artifact(model)

        registry.erase("m", "v1.0.0", by="trainer", reason="asked for by a person in it")

        assert not stored.exists()
        erased = found(registry, "v1.0.0")
        assert erased == replace(model, erased=True)
        for known in (model, erased):
            with pytest.raises(ArtifactErased, match="was erased"):
                registry.fetch_artifact(known)
        with pytest.raises(ArtifactErased):
            registry.verify("m", "v1.0.0")
        assert registry.history("m")[-1].by == "trainer"
        assert registry.fetch_artifact(found(registry)).exists()

    def test_bytes_stay_while_another_version_of_any_model_has_them(
        self, registry: ModelRegistry, register: Register
    ) -> None:
        register("a", "m"), register("a", "other")
        stored = registry.fetch_artifact(found(registry))

        registry.erase("m", "v1.0.0")
        assert stored.exists()
        with pytest.raises(ArtifactErased):
            registry.fetch_artifact(found(registry, "v1.0.0"))
        registry.erase("other")

        assert not stored.exists()

    def test_an_erasure_is_applied_again_by_whoever_reads_the_log_anew(
        self,
        registry: ModelRegistry,
        register: Register,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
    ) -> None:
        register("a")
        stored = registry.fetch_artifact(found(registry))
        content = stored.read_bytes()
        registry.erase("m")
        # given a backup of the store and a cache that know nothing of it
        cached = Path(settings.stack.data_dir) / "artifact-cache" / stored.name
        cached.parent.mkdir(parents=True)
        for path in (stored, cached):
            path.write_bytes(content)

        another(settings, log, ids).list_models()

        assert not stored.exists()
        assert not cached.exists()

    def test_erased_bytes_that_are_registered_anew_get_the_next_version(
        self,
        registry: ModelRegistry,
        register: Register,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
    ) -> None:
        register("a")
        registry.erase("m")

        assert register("a") == "v2.0.0"

        reader = another(settings, log, ids)
        assert reader.fetch_artifact(found(reader)).exists()
        with pytest.raises(ArtifactErased):
            reader.fetch_artifact(found(reader, "v1.0.0"))

    @pytest.mark.parametrize("sweep", [ModelRegistry.apply_erasures, ModelRegistry.list_models])
    def test_bytes_that_are_registered_anew_during_a_sweep_are_kept(
        self,
        registry: ModelRegistry,
        register: Register,
        settings: Settings,
        log: MemoryLog,
        ids: MemorySchemaIds,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        sweep: Callable[[ModelRegistry], object],
    ) -> None:
        # given a backup of the store from before two erasures
        stored = []
        for content in ("a", "b"):
            model = found(registry, register(content))
            path = registry.fetch_artifact(model)
            stored.append((path, path.read_bytes()))
        registry.erase("m")
        for path, held in stored:
            path.write_bytes(held)
        reader = another(settings, log, ids)
        erase = reader._store.erase

        def erase_while_another_registers(*which: Any) -> None:
            if len(registry.versions("m")) == 2:
                register("b")
            erase(*which)

        monkeypatch.setattr(reader._store, "erase", erase_while_another_registers)

        # when they are applied, and the second is registered while the first is deleted
        sweep(reader)

        # then that is there
        assert [path.exists() for path, _ in stored] == [False, True]
        anew = found(reader)
        assert (anew.version, reader.fetch_artifact(anew)) == ("v3.0.0", stored[1][0])

    def test_nothing_is_deleted_that_is_not_named_by_its_content(
        self, registry: ModelRegistry, register: Register, tmp_path: Path
    ) -> None:
        # given a registration whose address is somebody's file
        precious = tmp_path / "precious"
        precious.write_text("mine")
        register("a")
        model = found(registry)

        registry._store.erase(model.artifact_sha256, precious.as_uri())

        assert precious.exists()

    def test_a_store_that_cannot_be_written_does_not_hinder_reading(
        self, registry: ModelRegistry, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register("a")

        def refuse(*_: object) -> None:
            raise ArtifactStoreUnavailable("read-only")

        monkeypatch.setattr(registry._store, "erase", refuse)
        with pytest.raises(ArtifactStoreUnavailable):
            registry.erase("m")

        assert found(registry).erased


class TestWithoutAWorker:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(
            settings, model_registry=replace(settings.model_registry, answer_timeout_s=0.2)
        )

    def test_a_change_that_nobody_answers_says_that_it_will_be_honoured(
        self, registry: ModelRegistry, facts_in: Facts
    ) -> None:
        with pytest.raises(RegistryTimeout, match=r"will be honoured.*registry history"):
            registry.set_alias("m", "champion", "v1.0.0")

        [request] = facts_in(REGISTRY)
        assert isinstance(request, AliasRequested)

    def test_a_change_asked_while_kafka_is_away_is_sent_when_it_is_back(
        self, registry: ModelRegistry, log: MemoryLog, facts_in: Facts, wait_until: Wait
    ) -> None:
        log.away = True
        with pytest.raises(RegistryTimeout, match="on disk and will be sent"):
            registry.erase("m")

        log.away = False

        wait_until(lambda: [type(fact) for fact in facts_in(REGISTRY)] == [EraseRequested])

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda to: to.set_alias("m", "v1.0.0", "v1.0.0"), "written like a version"),
            (lambda to: to.set_alias("m", "", "v1.0.0"), "alias is empty"),
            (lambda to: to.set_alias("", "a", "v1.0.0"), "model_id is empty"),
            (lambda to: to.set_alias("m", "a", ""), "version is empty"),
            (lambda to: to.set_alias("m", "a", "v1.0.0", reason="x" * 10_001), "10,000 are"),
            (lambda to: to.set_alias("m", "a", "v1.0.0", by="a\nb"), "unprintable"),
            (lambda to: to.set_tag("m", "a", 7), "give a string"),
            (lambda to: to.set_tag("m", "a\x00", "b"), "unprintable"),
            (lambda to: to.erase("m", reason=None), "give a string"),
        ],
    )
    def test_a_value_that_may_not_become_a_fact_is_refused_at_the_call(
        self,
        registry: ModelRegistry,
        log: MemoryLog,
        call: Callable[[ModelRegistry], None],
        message: str,
    ) -> None:
        with pytest.raises(InvalidFact, match=message):
            call(registry)
        assert log.records(REGISTRY) == []
