"""Registering and tracking through the real Kafka and schema registry."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.producers.experiments.tracker import ExperimentTracker
from modeltrail.producers.registry.client import ModelRegistry
from modeltrail.schemas.events import Fact, MetricsLogged
from modeltrail.schemas.topics import EXPERIMENTS, Topic


@pytest.mark.usefixtures("registry_worker")
def test_a_registered_model_can_be_read_at_once_by_everyone(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    writer, reader = ModelRegistry(fresh_settings), ModelRegistry(fresh_settings)
    assert reader.list_models() == []

    for number in range(3):
        path.write_bytes(b"\x08\x08\x3a\x03\x12\x01" + bytes([number]))
        version = writer.register_model("centerface", path, bump="minor")
        model = reader.get_model("centerface")
        assert model is not None
        assert model.version == version

    first = reader.get_model("centerface", "v1.0.0")
    assert first is not None
    assert reader.fetch_artifact(first).read_bytes() == b"\x08\x08\x3a\x03\x12\x01\x00"
    writer.close()


def test_many_metrics_arrive_in_order_and_are_compared(
    fresh_settings: Settings, facts_in: Callable[[Topic], list[Fact]]
) -> None:
    with ExperimentTracker(fresh_settings) as tracker:
        runs = [tracker.start_experiment("threshold", {"size": size}) for size in (320, 640)]
        for step in range(5000):
            for number, run in enumerate(runs):
                tracker.log_metrics(run, {"loss": number + 1 / (step + 1)}, step)
        for run in runs:
            tracker.end_experiment(run)

        compared = tracker.compare_experiments(runs)

    assert [compared[run].config["size"] for run in runs] == [320, 640]
    assert [compared[run].final_metrics["loss"] for run in runs] == [1 / 5000, 1 + 1 / 5000]
    facts = [fact for fact in facts_in(EXPERIMENTS) if isinstance(fact, MetricsLogged)]
    for run in runs:
        assert [fact.step for fact in facts if fact.run_id == run] == list(range(5000))


def test_the_sdk_registers_its_schemas_by_record_name(fresh_settings: Settings) -> None:
    with ExperimentTracker(fresh_settings) as tracker:
        tracker.end_experiment(tracker.start_experiment("threshold"))

    with urllib.request.urlopen(f"{fresh_settings.schema_registry.url}/subjects") as answer:
        subjects = json.load(answer)
    assert {
        "modeltrail.experiments.RunStarted",
        "modeltrail.experiments.RunEnded",
    } <= set(subjects)
