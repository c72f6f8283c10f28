"""Runs the product's workers as processes, under the settings of one test."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from modeltrail.infra.config import Settings
from tests.integration.conftest import worker_environment


@contextmanager
def running_worker(settings: Settings, name: str) -> Iterator[subprocess.Popen[str]]:
    """The worker of that name, ready; terminated at the end."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "modeltrail.infra.cli", "worker", name],
        env=worker_environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        yield worker
    finally:
        worker.terminate()
        worker.communicate(timeout=300)
