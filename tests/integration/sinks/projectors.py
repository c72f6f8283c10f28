"""Runs projectors as processes that a test may stop, kill and wake."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from modeltrail.infra.config import Settings
from tests.integration.conftest import worker_environment

SMALL_BATCHES = {
    "MODELTRAIL_PROJECTOR_BATCH_ROWS": "400",
    "MODELTRAIL_PROJECTOR_BATCH_SECONDS": "0.05",
}


def start_projector(settings: Settings, *, wait: bool = True) -> subprocess.Popen[str]:
    """A projector with small batches, so that it is always in the middle of something."""
    process = subprocess.Popen(
        [sys.executable, "-m", "modeltrail.infra.cli", "worker", "projector"],
        env={**worker_environment(settings), **SMALL_BATCHES},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Terminate it; it leaves by itself."""
    process.terminate()
    process.communicate(timeout=60)


@contextmanager
def running_projector(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A projector that is ready; terminated at the end."""
    process = start_projector(settings)
    try:
        yield process
    finally:
        end(process)
