"""`modeltrail registry`: what people see of versions, what they change, and what they confirm."""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from modeltrail.infra.cli import reading
from modeltrail.infra.cli.group import cli
from modeltrail.infra.config import load_settings
from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.eventlog.port import LogRecord
from modeltrail.producers.registry import client
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.producers.registry.lineage import Lineage
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.topics import Topic
from modeltrail.sinks.queries import registry_versions
from modeltrail.sinks.queries.registry_versions import VersionRow


class AnsweringLog(MemoryLog):
    """A log with a registry that answers each request at once."""

    def __init__(self, ids: MemorySchemaIds) -> None:
        super().__init__()
        self._codec = Codec(ids)
        self._states: dict[bytes, ModelState] = {}

    def append(self, topic: Topic, key: bytes, value: bytes) -> LogRecord:
        record = super().append(topic, key, value)
        state = self._states.get(key, ModelState())
        self._states[key], answers = fold(state, self._codec.decode(value))
        for answer in answers:
            super().append(topic, key, self._codec.encode(answer))
        return record


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelRegistry]:
    """The registry that the commands reach, with two versions of `masker`."""
    monkeypatch.chdir(tmp_path)
    ids = MemorySchemaIds()
    log = AnsweringLog(ids)
    made = ModelRegistry(load_settings(), log=log, schema_ids=ids)
    monkeypatch.setattr(
        client, "ModelRegistry", lambda settings: ModelRegistry(settings, log=log, schema_ids=ids)
    )
    lineage = Lineage(run_id="run-1", dataset="faces", git_commit="abc")
    for number in range(2):
        path = tmp_path / "model.onnx"
        path.write_bytes(b"\x08\x08\x3a\x03\x12\x01" + bytes([number]) + b"\x42\x02\x10\x11")
        made.register_model("masker", path, {"number": number}, lineage=lineage if number else None)
    yield made
    made.close()


def invoke(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, ["registry", *arguments], typed, catch_exceptions=False)


def run(*arguments: str, typed: str = "") -> str:
    result = invoke(*arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("registry")
class TestLooking:
    def test_a_version_is_shown_with_signature_lineage_aliases_and_tags(self) -> None:
        run("alias", "masker", "champion", "v2.0.0")
        run("tag", "masker", "licence", "MIT", "--version", "v2.0.0")
        run("tag", "masker", "team", "vision")

        lines = run("show", "masker", "champion").splitlines()
        shown = dict(re.split(" {2,}", f"{line.strip()}  ", maxsplit=1) for line in lines)
        for name, value in {
            "version": "v2.0.0",
            "aliases": "champion",
            "state": "in use",
            "opset ai.onnx": "17",
            "run": "run-1",
            "git commit": "abc",
            "metadata number": "1",
            "tag licence": "MIT",
            "tag of the model team": "vision",
        }.items():
            assert shown[name].strip() == value

        told = json.loads(run("show", "masker", "--format", "json"))
        assert told["lineage"]["dataset"] == "faces"
        assert told["opsets"] == {"ai.onnx": 17}
        assert told["aliases"] == ["champion"]
        assert told["model_tags"] == {"team": "vision"}

    def test_two_versions_are_told_apart_by_what_differs(self) -> None:
        rows = json.loads(run("diff", "masker", "v1.0.0", "v2.0.0", "--format", "json"))

        told = {row["what"]: (row["before"], row["after"]) for row in rows}
        assert told["metadata number"] == (0, 1)
        assert told["dataset"] == (None, "faces")
        assert told.keys().isdisjoint(("model", "version", "size", "opset ai.onnx"))

    def test_history_and_the_registry_as_it_was_are_shown(self, registry: ModelRegistry) -> None:
        then = registry.history("masker")[-1].at
        run(
            "alias",
            "masker",
            "champion",
            "v1.0.0",
            "--by",
            "trainer",
            "--reason",
            "best\x1b[2J recall",
        )

        [*_, last] = json.loads(run("history", "masker", "--format", "json"))
        assert (last["what"], last["by"]) == ("alias assigned", "trainer")
        assert "\x1b" not in run("history", "masker")
        moment = datetime.fromtimestamp(then / 1e6, UTC).isoformat()
        before = json.loads(run("show", "masker", "v1.0.0", "--at", moment, "--format", "json"))
        assert before["aliases"] == []

    def test_what_is_not_registered_is_said(self) -> None:
        with pytest.raises(ModeltrailError, match="'masker' 'v9' is not registered"):
            run("show", "masker", "v9")

    def test_a_changed_artifact_fails_the_verification(self, registry: ModelRegistry) -> None:
        run("verify", "masker", "v1.0.0")
        model = registry.get_model("masker", "v2.0.0")
        assert model is not None
        registry.fetch_artifact(model).write_bytes(b"other")

        result = invoke("verify", "masker", "--format", "json")

        assert result.exit_code == 1
        rows = json.loads(result.output)
        assert [row["artifact"] for row in rows] == ["verified", "failed"]
        assert model.artifact_sha256.hex() in rows[1]["detail"]


@pytest.mark.usefixtures("registry")
class TestChanging:
    def test_an_alias_is_removed_and_who_did_it_is_known(self, registry: ModelRegistry) -> None:
        run("alias", "masker", "champion", "v1.0.0")
        assert "is removed" in run("alias", "masker", "champion", "--remove")
        assert registry.get_model("masker", "champion") is None
        assert registry.history("masker")[-1].by != ""

    def test_a_version_is_archived_restored_and_its_tag_removed(
        self, registry: ModelRegistry
    ) -> None:
        run("archive", "masker", "v2.0.0")
        latest = registry.get_model("masker")
        assert latest is not None
        assert latest.version == "v1.0.0"
        run("restore", "masker", "v2.0.0")
        run("tag", "masker", "team", "vision")
        run("tag", "masker", "team", "--remove")

        assert registry.tags("masker") == {}
        assert not any(model.archived for model in registry.versions("masker"))

    def test_erasing_is_confirmed_first(self, registry: ModelRegistry) -> None:
        refused = invoke("erase", "masker", "v1.0.0", typed="n\n")
        assert refused.exit_code == 1
        assert not any(model.erased for model in registry.versions("masker"))

        run("erase", "masker", "v1.0.0", typed="y\n")
        assert [model.erased for model in registry.versions("masker")] == [True, False]
        run("erase", "masker", "--yes")
        assert all(model.erased for model in registry.versions("masker"))
        assert "erased" in run("verify", "masker")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("alias", "masker", "champion"),
            ("alias", "masker", "champion", "v1.0.0", "--remove"),
            ("tag", "masker", "team"),
            ("tag", "masker", "team", "vision", "--remove"),
        ],
    )
    def test_a_command_that_says_too_little_or_too_much_is_refused(
        self, arguments: tuple[str, ...]
    ) -> None:
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "or --remove" in result.output


def test_the_list_asks_for_what_the_options_say_and_shows_state_and_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = VersionRow(
        *(UUID(int=1), "masker", "v1.0.0", "s3://b/a", "00", 7, "{}", [], ["champion"]),
        *(
            {"licence": "MIT"},
            True,
            False,
            datetime(2026, 1, 1, tzinfo=UTC),
            "trainer",
            [],
            [],
            None,
        ),
        *("", "", "", "", None, None),
    )
    asked: dict[str, object] = {}

    def search(client: object, **conditions: object) -> list[VersionRow]:
        asked.update(conditions)
        return [row]

    monkeypatch.setattr(reading, "reading", lambda settings: nullcontext())
    monkeypatch.setattr(registry_versions, "search_versions", search)

    [shown] = json.loads(
        run(
            *("list", "--model", "masker", "--text", "mit", "--alias", "champion"),
            *("--tag", "licence=MIT", "--archived", "--limit", "7", "--format", "json"),
        )
    )

    assert asked == {
        "model_id": "masker",
        "text": "mit",
        "alias": "champion",
        "tag": ("licence", "MIT"),
        "include_archived": True,
        "limit": 7,
    }
    assert (shown["model_id"], shown["version"], shown["state"]) == ("masker", "v1.0.0", "archived")
    assert (shown["aliases"], shown["tags"]) == (["champion"], {"licence": "MIT"})
