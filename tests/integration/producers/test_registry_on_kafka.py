"""The registry with its real worker: what was asked while it was down, by many at once, is done."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.errors import ArtifactErased, RegistrationTimeout, RegistryTimeout
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.schemas.events import AliasAssigned, Fact, ModelRegistered
from modeltrail.schemas.topics import REGISTRY, Topic
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker
from tests.waiting import eventually

WRITERS = 8
SHARED = "team/masker 🎭"
# Forked, so that all are at work at the same moment. Each writes its line at once: `print` may
# write the end of it later, behind the line of another.
REGISTER = """
import os, sys
from modeltrail import ModelRegistry
children = []
for path in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        registry = ModelRegistry()
        os.write(1, f"{registry.register_model(sys.argv[1], path)}\\n".encode())
        registry.close()
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)
"""


def model_file(path: Path, content: int) -> Path:
    path.write_bytes(b"\x08\x08\x3a\x03\x12\x01" + bytes([content]))
    return path


def start_writers(settings: Settings, folder: Path) -> subprocess.Popen[str]:
    """Eight processes that register different files as the same model."""
    paths = [model_file(folder / f"{number}.onnx", number) for number in range(WRITERS)]
    # They begin to wait before the worker begins to start.
    patience = {"MODELTRAIL_MODEL_REGISTRY_ANSWER_TIMEOUT_S": "90"}
    return subprocess.Popen(
        [sys.executable, "-c", REGISTER, SHARED, *paths],
        env={**worker_environment(settings), **patience},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_is_asked_while_the_worker_is_down_is_done_once_when_it_is_back(
    fresh_settings: Settings, tmp_path: Path, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    impatient = replace(
        fresh_settings,
        model_registry=replace(fresh_settings.model_registry, answer_timeout_s=0.5),
    )
    registry, patient = ModelRegistry(impatient), ModelRegistry(fresh_settings)
    # given requests that nobody answers in time, one of them made twice
    for _ in range(2):
        with pytest.raises(RegistrationTimeout):
            registry.register_model("mask", model_file(tmp_path / "mask.onnx", 99))
    with pytest.raises(RegistryTimeout):
        registry.set_alias("mask", "champion", "v1.0.0", by="trainer", reason="the first")
    # and eight processes that still wait
    writers = start_writers(fresh_settings, tmp_path)

    with running_worker(fresh_settings, "processors"):
        given = writers.communicate()[0].split()
        assert writers.returncode == 0
        eventually(lambda: registry.get_model("mask", "champion"))
        model = registry.get_model("mask")
        patient.remove_alias("mask", "champion")
        patient.erase("mask")

    # then the eight have eight versions, without a gap, each with an artifact of its own
    wanted = [f"v{number + 1}.0.0" for number in range(WRITERS)]
    assert sorted(given) == wanted
    shared = patient.versions(SHARED)
    assert [each.version for each in shared] == wanted
    assert len({each.artifact_sha256 for each in shared}) == WRITERS
    # and the impatient were answered once
    answers = Counter(
        type(fact) for fact in facts_in(REGISTRY) if getattr(fact, "model_id", "") == "mask"
    )
    assert (answers[ModelRegistered], answers[AliasAssigned]) == (2, 1)
    told = [step.what for step in registry.history("mask")]
    assert told == ["registered", "alias assigned", "alias removed", "erased"]
    assert model is not None
    with pytest.raises(ArtifactErased):
        registry.fetch_artifact(model)
    assert not any(Path(fresh_settings.model_registry.path).rglob(model.artifact_sha256.hex()))
    for opened in (registry, patient):
        opened.close()
