"""The jobs worker stays small, and a part of it that cannot go on ends all of it."""

import subprocess
import sys
import threading

import pytest

from modeltrail.infra.cli.jobs_worker import run_jobs_worker
from modeltrail.infra.config import ConfigError, Settings

HEAVY = ("onnx", "onnxruntime", "faust", "scipy", "chdb", "clickhouse_driver")


def test_a_part_that_fails_ends_the_worker_with_its_error() -> None:
    ready: list[None] = []
    with pytest.raises(ConfigError, match="no Kafka"):
        run_jobs_worker(Settings(), threading.Event(), lambda: ready.append(None))
    assert ready == []


def test_it_imports_nothing_that_only_its_processes_need() -> None:
    code = (
        "import sys, modeltrail.infra.cli.jobs_worker; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
