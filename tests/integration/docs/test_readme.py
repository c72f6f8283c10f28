"""The examples of the README run as they stand, on the real stack."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import onnxruntime
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modeltrail.infra.cli.experiments import experiments
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import RoutedArm, RoutingSet
from modeltrail.schemas.ids import new_event_id
from modeltrail.schemas.routing import CHAMPION, WHOLE
from modeltrail.schemas.rulebook import problems_of
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import ROUTING, key_of
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


@pytest.fixture
def fresh_settings(fresh_settings: Settings) -> Settings:
    """The commands ask as the writing account: the reading one has no access to other databases."""
    found = fresh_settings.clickhouse
    reader = replace(found, reader_user=found.user, reader_password=found.password)
    return replace(fresh_settings, clickhouse=reader)


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
def test_the_examples_register_track_learn_and_measure(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "centerface.onnx").write_bytes(with_free_input_size(pinned_model()))
    with (
        running_worker(fresh_settings, "processors"),
        running_worker(fresh_settings, "projector"),
    ):
        # when a reader of the README follows it
        run(example("Register and track"), fresh_settings, tmp_path)
        run(example("Learn and compare"), fresh_settings, repository_in(tmp_path))
        run(NODE.format(frames=FRAMES) + example("Instrument a node"), fresh_settings, tmp_path)
        route_everything_to("centerface", fresh_settings)
        served = example("Serve what is deployed")
        run(NODE.format(frames=FRAMES) + served, fresh_settings, tmp_path)
        # then the best model of the runs is registered, and the commands show how it came about
        check_what_was_learned(fresh_settings, tmp_path)
        # and the views show a version, a run and the measurements
        with make_client(fresh_settings.clickhouse) as client:
            query = "SELECT sum(measurements), min(detection_score_mean) FROM measurement_summary"
            eventually(lambda: client.execute(query)[0][0] == 2 * FRAMES)
            assert client.execute(query)[0][1] > 0.5
            versions = "SELECT model_id, version FROM model_versions ORDER BY model_id"
            assert client.execute(versions) == [("centerface", "v1.0.0"), ("digits", "v1.0.0")]
            comparison = (
                "SELECT name, points, final FROM experiment_comparison "
                "WHERE experiment_id = 'threshold'"
            )
            assert client.execute(comparison) == [("recall", 3, 1.0)]


def route_everything_to(model_id: str, settings: Settings) -> None:
    """What a deployment of the newest version ends with."""
    model = ModelRegistry(settings).get_model(model_id)
    assert model is not None
    file = (model.artifact_sha256, model.artifact_uri, model.artifact_size)
    arm = RoutedArm(CHAMPION, model.version, *file, model.declared_metrics, WHOLE)
    fact = RoutingSet(
        *(new_event_id(), model.registered_at, "production", model.model_id, 1, "salt", (arm,))
    )
    producer = make_producer(settings.kafka)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    topic = ROUTING.full_name(settings.kafka.topic_prefix)
    producer.produce(topic, codec.encode(fact), key_of("production", model_id))
    assert producer.flush(30) == 0


def check_what_was_learned(settings: Settings, folder: Path) -> None:
    # The best model is registered, knows its run, data and commit, and can be used.
    registry = ModelRegistry(settings)
    model = registry.get_model("digits")
    assert model is not None
    assert model.lineage.run_id is not None
    assert model.lineage.dataset == "digits"
    assert len(model.lineage.dataset_fingerprint) == 64
    assert re.fullmatch(r"[0-9a-f]{40}", model.lineage.git_commit)
    assert accuracy_of(registry.fetch_artifact(model)) > 0.95

    # The commands compare and plot what ClickHouse knows of the runs.
    eventually(lambda: statuses(settings) == ["FINISHED"] * 6)
    chosen = ("--experiment", "digits")
    wide = asked(settings, "list", *chosen, "--param", "hidden_units=32", "--format", "json")
    assert [set(row["metrics"]) for row in json.loads(wide)] == [{"accuracy", "loss"}] * 3
    found = json.loads(asked(settings, "compare", *chosen, "--format", "json"))
    assert set(found["config_differences"]) == {"hidden_units", "seed"}
    assert [len(group["run_ids"]) for group in found["repeats"]] == [3, 3]
    shown = asked(settings, "show", model.lineage.run_id)
    assert re.search(r"accuracy .* [▁▂▃▄▅▆▇█]{20}", shown)
    curves, parallel = folder / "curves.svg", folder / "settings.png"
    asked(settings, "plot", *chosen, "-o", str(curves))
    assert {"accuracy", "loss", model.lineage.run_id} <= texts_of(curves)
    asked(settings, "plot", *chosen, "-o", str(parallel), "--parallel")
    assert parallel.read_bytes().startswith(b"\x89PNG")


def repository_in(folder: Path) -> Path:
    """The same folder, with a commit."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "start"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def accuracy_of(path: Path) -> float:
    """How many of the held-out digits the ONNX file reads right."""
    digits = load_digits()
    images = (digits.data / 16).astype("float32")
    _, held_out, _, labels = train_test_split(images, digits.target, random_state=0)
    read = onnxruntime.InferenceSession(str(path)).run(["label"], {"X": held_out})[0]
    return float((read == labels).mean())


def asked(settings: Settings, *arguments: str) -> str:
    """What `modeltrail experiments` prints."""
    answer = CliRunner().invoke(experiments, arguments, obj=settings, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def statuses(settings: Settings) -> list[str]:
    rows = json.loads(asked(settings, "list", "--experiment", "digits", "--format", "json"))
    return [row["status"] for row in rows]


def texts_of(path: Path) -> set[str]:
    nodes = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return {"".join(node.itertext()).strip() for node in nodes}


def test_the_rules_are_without_a_problem() -> None:
    match = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert match is not None
    drafts = parse_rules(match[1])
    assert [draft.model_id for draft in drafts] == ["*", "centerface"]
    assert not any(problems_of(draft) for draft in drafts)


@pytest.mark.parametrize("title", ["Instrument a node", "Serve what is deployed"])
def test_a_node_is_ten_lines(title: str) -> None:
    lines = [line for line in example(title).splitlines() if line.strip()]
    assert len(lines) <= 10


@pytest.mark.parametrize("target", ["demo", "test", "help", "check", "prove", "bench", "lock"])
def test_every_make_target_that_the_readme_names_exists(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}:.*## ", Path("Makefile").read_text(), re.MULTILINE)
