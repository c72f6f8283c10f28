"""The examples of the README run as they stand, on the real stack."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.schemas.rulebook import problems_of
from modeltrail.schemas.rules_file import parse_rules
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker
from tests.waiting import eventually

README = Path("README.md").read_text()
FRAMES = 5
# What the README calls the node's own.
NODE = """
from modeltrail.producers.masker.centerface import INPUT, decode, prepare
from modeltrail.producers.masker.frames import Camera, Scene

camera = [Camera(seed=1).take(Scene())[0] for _ in range({frames})]

def to_feeds(image):
    return {{INPUT: prepare(image, (320, 256))}}

def mask(image, outputs):
    found = decode(outputs, (320, 256), (640, 480), 0.5)
    return len(found), found[0].score

"""


def example(title: str) -> str:
    """The Python block under a heading of the README."""
    match = re.search(rf"## {title}\n.*?```python\n(.*?)```", README, re.DOTALL)
    assert match is not None, f"the README has no Python example under {title!r}"
    return match[1]


def run(code: str, settings: Settings, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=worker_environment(settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(400)
def test_the_examples_register_track_and_measure(fresh_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "centerface.onnx").write_bytes(with_free_input_size(pinned_model()))
    with (
        running_worker(fresh_settings, "processors"),
        running_worker(fresh_settings, "projector"),
    ):
        # when a reader of the README follows it
        run(example("Register and track"), fresh_settings, tmp_path)
        run(NODE.format(frames=FRAMES) + example("Instrument a node"), fresh_settings, tmp_path)
        # then the views show a version, a run and the measurements
        client = make_client(fresh_settings.clickhouse)
        query = "SELECT sum(measurements), min(detection_score_mean) FROM measurement_summary"
        eventually(lambda: client.execute(query)[0][0] == FRAMES)
        assert client.execute(query)[0][1] > 0.5
        assert client.execute("SELECT model_id, version FROM model_versions") == [
            ("centerface", "v1.0.0")
        ]
        comparison = "SELECT name, points, final FROM experiment_comparison"
        assert client.execute(comparison) == [("recall", 3, 1.0)]
        client.disconnect()


def test_the_rules_are_without_a_problem() -> None:
    match = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert match is not None
    drafts = parse_rules(match[1])
    assert [draft.model_id for draft in drafts] == ["*", "centerface"]
    assert not any(problems_of(draft) for draft in drafts)


def test_a_node_is_instrumented_in_ten_lines() -> None:
    lines = [line for line in example("Instrument a node").splitlines() if line.strip()]
    assert len(lines) <= 10


@pytest.mark.parametrize("target", ["demo", "test", "help", "check", "prove", "bench", "lock"])
def test_every_make_target_that_the_readme_names_exists(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}:.*## ", Path("Makefile").read_text(), re.MULTILINE)
