"""What a run records of its environment by itself, and that it never fails the run."""

import getpass
import json
import os
import platform
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.experiments import capture
from modeltrail.producers.experiments.capture import captured_json
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.schemas.events import Fact, RunStarted
from modeltrail.schemas.topics import EXPERIMENTS, Topic

Facts = Callable[[Topic], list[Fact]]
TWO_GPUS = "NVIDIA H100 80GB HBM3, 81559, 570.86.15\nNVIDIA A10, 23028, 570.86.15\n"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Forgets what an earlier test found out about this machine, and what this one does."""
    for found in (capture._packages, capture._gpus):
        found.cache_clear()
    yield
    for found in (capture._packages, capture._gpus):
        found.cache_clear()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("pass")
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for command in (["init", "-q"], ["add", "train.py"], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def captured(config: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(captured_json(json.dumps(config or {})))
    return found


def test_host_versions_and_packages_are_captured() -> None:
    found = captured()

    assert found["python"] == platform.python_version()
    assert found["host"] == platform.node()
    assert found["packages"]["fastavro"] == version("fastavro")


def test_of_two_installations_the_one_that_is_imported_is_captured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = [(None, "0"), ("a", "2"), ("a", "1")]
    monkeypatch.setattr(
        capture,
        "distributions",
        lambda: [types.SimpleNamespace(name=name, version=each) for name, each in installed],
    )

    assert captured()["packages"] == {"a": "2"}


def test_the_commit_is_captured_and_whether_tracked_files_differ(repository: Path) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()

    (repository / "notes.txt").touch()
    assert captured()["git"] == {"commit": head, "dirty": False}

    (repository / "train.py").write_text("fail")
    assert captured()["git"] == {"commit": head, "dirty": True}


@pytest.mark.parametrize(
    ("config", "seed"),
    [
        ({"seed": 7}, 7),
        ({"data": {"random_state": 8}}, 8),
        ({"optimizer.random_seed": "9"}, "9"),
        ({"seeding": 7}, None),
    ],
)
def test_the_seed_of_the_configuration_is_captured(config: Any, seed: Any) -> None:
    assert captured(config).get("seed") == seed


def test_the_seed_of_torch_is_known_where_torch_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = types.SimpleNamespace(initial_seed=lambda: 12)
    monkeypatch.setitem(sys.modules, "torch", torch)

    assert captured()["seed"] == 12
    assert captured({"seed": 3})["seed"] == 3


def test_gpus_are_captured_with_memory_and_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "nvidia-smi", f"cat <<'END'\n{TWO_GPUS}END")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert captured()["gpus"] == [
        {"name": "NVIDIA H100 80GB HBM3", "memory_mib": "81559", "driver": "570.86.15"},
        {"name": "NVIDIA A10", "memory_mib": "23028", "driver": "570.86.15"},
    ]


@pytest.mark.parametrize("script", ["exit 9", "echo garbage", "exec sleep 60"])
def test_programs_that_fail_babble_or_hang_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(capture, "PATIENCE_S", 0.3)
    program(tmp_path, "nvidia-smi", script)
    program(tmp_path, "git", "exec sleep 60" if "sleep" in script else "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    found = captured()

    assert "gpus" not in found
    assert "git" not in found
    assert found["python"] == platform.python_version()


@pytest.mark.parametrize(
    ("setting", "argument", "captures"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_a_run_captures_unless_it_is_switched_off(
    settings: Settings,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Facts,
    setting: bool,
    argument: bool,
    captures: bool,
) -> None:
    tracking = replace(settings.experiment_tracking, capture=setting)
    settings = replace(settings, experiment_tracking=tracking)
    with ExperimentTracker(settings, log=log, schema_ids=ids) as tracker:
        run = tracker.run("a", {"seed": 1}, capture=argument)

    [start] = facts_in(EXPERIMENTS)
    assert isinstance(start, RunStarted)
    assert (start.environment_json != "") is captures
    assert (run.environment.get("seed") == 1) is captures
    assert (start.started_by == getpass.getuser()) is captures
    assert run.environment == json.loads(start.environment_json or "{}")
