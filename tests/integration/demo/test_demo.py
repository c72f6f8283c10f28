"""The main job, shortened: the demo's own command on the real stack, with real frames."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker


def as_writer(settings: Settings) -> Settings:
    """Read with the writing account: the stack's reader sees only the database `modeltrail`."""
    clickhouse = settings.clickhouse
    return replace(
        settings,
        clickhouse=replace(
            clickhouse, reader_user=clickhouse.user, reader_password=clickhouse.password
        ),
    )


@pytest.mark.timeout(400)
def test_the_demo_registers_tracks_measures_and_answers(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    with (
        running_worker(fresh_settings, "processors"),
        running_worker(fresh_settings, "projector"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "modeltrail.infra.cli", "demo", "--seconds", "4"],
            env=worker_environment(as_writer(fresh_settings)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stderr
    assert "Registered centerface v1.0.0" in done.stdout
    for node in ("gate-1", "gate-2"):
        assert node in done.stdout

    with make_client(fresh_settings.clickhouse) as client:
        # the experiment really found what it claims
        best = client.execute("SELECT max(final) FROM experiment_comparison WHERE name = 'best_f1'")
        assert 0.8 < best[0][0] <= 1.0
        # the light dimmed, and the detector noticed
        ((brighter, darker, surer, doubtful),) = client.execute(
            "SELECT argMin(m.luma_mean, frame), argMax(m.luma_mean, frame), "
            "max(detection_score), argMax(detection_score, frame) FROM measurements AS m"
        )
        assert brighter > 80 > 30 > darker
        assert surer > 0.8
        assert doubtful < surer - 0.03
    # the sample really hides the face and leaves the rest
    pair = np.asarray(Image.open(tmp_path / "demo-output" / "masked.png"))
    before, after = pair[:, :640], pair[:, 640:]
    changed = (before != after).any(axis=2).mean()
    assert 0.02 < changed < 0.2
    # the card of the model that ran cites the log
    card = (tmp_path / "demo-output" / "centerface-v1.0.0.html").read_text(encoding="utf-8")
    assert "centerface v1.0.0" in card
    assert 'href="#event-1"' in card
