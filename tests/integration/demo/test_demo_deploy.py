"""The deployment demo, whole: it ends with an error unless each version ends as it should."""

import subprocess
import sys
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_versions_meet_gates_traffic_and_the_night(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    with (
        running_worker(fresh_settings, "processors"),
        running_worker(fresh_settings, "projector"),
        running_worker(fresh_settings, "jobs"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "modeltrail.infra.cli", "demo-deploy"],
            env=worker_environment(fresh_settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=500,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    standings = [word for line in done.stdout.splitlines() for word in line.split()]
    assert standings.count("SUCCEEDED") == 2
    assert standings.count("FAILED") >= 2
    assert standings.count("ROLLED_BACK") == 1
