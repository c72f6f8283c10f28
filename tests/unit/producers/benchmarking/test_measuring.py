"""Two versions are timed in turns and weighed apart; what goes wrong is said, and hurts nobody."""

import json
import statistics
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.producers.benchmarking.job import BenchmarkJob
from modeltrail.producers.benchmarking.measuring import measure
from modeltrail.producers.errors import UnknownModel
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.deployment_policy import PerformancePolicy, settings_json
from modeltrail.schemas.events import BenchmarkRequested
from modeltrail.schemas.ids import Micros, ModelId, NodeId, Version, derived_event_id
from tests import model_files

POLICY = PerformancePolicy(warmup=2, runs=30, deadline_s=60.0)


def file_of(folder: Path, name: str, content: bytes) -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(content)
    return path


def test_a_slower_version_shows_in_every_batch_size(tmp_path: Path) -> None:
    candidate = file_of(tmp_path, "candidate", model_files.slower(layers=40))
    baseline = file_of(tmp_path, "baseline", model_files.slower(layers=4))

    evidence = measure(candidate, baseline, replace(POLICY, batch_sizes=(8, 32)))

    assert evidence["failure"] == ""
    assert [each["batch_size"] for each in evidence["batches"]] == [8, 32]
    for each in evidence["batches"]:
        assert each["shapes"] == each["baseline_shapes"] == {"x": [each["batch_size"], 256]}
        assert len(each["candidate_ms"]) == len(each["baseline_ms"]) == POLICY.runs
        ratio = statistics.median(each["candidate_ms"]) / statistics.median(each["baseline_ms"])
        assert 4 < ratio < 25
        throughput = each["throughput_per_s"]
        assert throughput["candidate"] < throughput["baseline"]
    assert evidence["warmup"] == POLICY.warmup
    assert evidence["environment"]["execution_provider"] == "CPUExecutionProvider"
    json.dumps(evidence, allow_nan=False)


def test_a_heavier_version_weighs_more(tmp_path: Path) -> None:
    light = file_of(tmp_path, "light", model_files.slower(layers=1, width=64))
    heavy = file_of(tmp_path, "heavy", model_files.slower(layers=1, width=2048))

    weights = measure(heavy, light, POLICY)["peak_memory_mb"]

    # 16 MiB of weights, as bytes of the file and inside the session
    assert weights["candidate"] > 16
    assert weights["baseline"] < 16


def test_without_a_baseline_the_version_is_measured_alone(tmp_path: Path) -> None:
    evidence = measure(file_of(tmp_path, "m", model_files.honest()), None, POLICY)

    [batch] = evidence["batches"]
    assert len(batch["candidate_ms"]) == POLICY.runs
    assert batch["baseline_ms"] == []
    assert batch["throughput_per_s"]["baseline"] is None
    assert evidence["peak_memory_mb"]["baseline"] is None


@pytest.mark.parametrize(
    ("content", "changed", "said"),
    [
        (b"no model", {}, "candidate"),
        (model_files.honest(batch=1), {"batch_sizes": (8,)}, "batch size 8"),
        (model_files.honest(), {"shapes": {"x": (1, 2, 3)}}, "shapes"),
        (model_files.endless_loop(), {"deadline_s": 2.0}, "performance.deadline_s"),
        (model_files.enormous_allocation(1 << 40), {}, "memory_mb"),
        (model_files.honest(), {"runs": 60_001}, "performance.runs"),
    ],
)
def test_what_goes_wrong_is_said(
    content: bytes, changed: dict[str, object], said: str, tmp_path: Path
) -> None:
    evidence = measure(
        file_of(tmp_path, "m", content),
        None,
        replace(POLICY, **changed),  # type: ignore[arg-type]
    )
    assert said in evidence["failure"]
    assert evidence["batches"] == []


REQUEST = BenchmarkRequested(
    event_id=derived_event_id("request"),
    occurred_at=Micros(1),
    deployment_id=derived_event_id("deployment"),
    model_id=ModelId("m"),
    version=Version("v2.0.0"),
    settings_json=settings_json(POLICY),
    baseline_version=Version("v1.0.0"),
)


def test_a_node_answers_what_it_is_asked_and_a_worker_what_nobody_is(tmp_path: Path) -> None:
    def fetch(_: ModelId, version: Version) -> Path:
        return file_of(tmp_path, version, model_files.honest())

    worker = BenchmarkJob(fetch, ManualClock())
    node = BenchmarkJob(fetch, ManualClock(), node_id=NodeId("gate-1"))
    to_node = replace(REQUEST, node_id=NodeId("gate-1"))
    assert (worker.takes(REQUEST), worker.takes(to_node)) == (True, False)
    assert (node.takes(REQUEST), node.takes(to_node)) == (False, True)

    answer = node.do(Appended(0, 0, 0, to_node), threading.Event())

    assert (answer.request_id, answer.node_id) == (REQUEST.event_id, "gate-1")
    [batch] = json.loads(answer.evidence_json)["batches"]
    assert len(batch["baseline_ms"]) == POLICY.runs


def test_a_version_that_is_not_there_is_an_answer() -> None:
    def missing(*_: object) -> Path:
        raise UnknownModel("m v2.0.0 is not registered: register it first")

    job = BenchmarkJob(missing, ManualClock())
    answer = job.do(Appended(0, 0, 0, REQUEST), threading.Event())
    assert "not registered" in json.loads(answer.evidence_json)["failure"]
