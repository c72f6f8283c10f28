"""A session that measures itself, around a real ONNX Runtime and a tiny real model."""

import hashlib
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import modeltrail
from modeltrail.infra.config import Settings
from modeltrail.producers.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    InvalidFact,
    UndeclaredMetric,
)
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.monitoring.runtime import CPU, CUDA, preferred
from modeltrail.producers.monitoring.session import InstrumentedSession
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.events import Fact, InferenceMeasured
from modeltrail.schemas.ids import Sha256
from modeltrail.schemas.topics import INFERENCE, Topic

Measured = Callable[[], list[InferenceMeasured]]


def message(number: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes(((number << 3) | 2, len(content))) + content


def varint(number: int, value: int) -> bytes:
    return bytes((number << 3, value))


def identity_model() -> bytes:
    """An ONNX model y = x over floats of any length, written out field by field."""
    any_length = message(2, message(1, message(2, b"n")))
    floats = message(2, message(1, varint(1, 1), any_length))
    node = message(1, message(1, b"x"), message(2, b"y"), message(4, b"Identity"))
    graph = message(
        7,
        node,
        message(2, b"g"),
        message(11, message(1, b"x"), floats),
        message(12, message(1, b"y"), floats),
    )
    return varint(1, 8) + graph + message(8, message(1, b""), varint(2, 13))


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "identity.onnx"
    path.write_bytes(identity_model())
    return path


@pytest.fixture
def model(model: RegisteredModel, artifact: Path) -> RegisteredModel:
    digest = Sha256(hashlib.sha256(artifact.read_bytes()).digest())
    return replace(model, artifact_sha256=digest, artifact_uri=artifact.as_uri())


@pytest.fixture
def monitor(
    settings: Settings, log: MemoryLog, ids: MemorySchemaIds, model: RegisteredModel
) -> Iterator[InferenceMonitor]:
    with InferenceMonitor(
        settings, model=model, node_id="gate-1", log=log, schema_ids=ids
    ) as monitor:
        yield monitor


@pytest.fixture
def session(
    settings: Settings, model: RegisteredModel, monitor: InferenceMonitor
) -> InstrumentedSession:
    return InstrumentedSession(model, settings=settings, monitor=monitor)


@pytest.fixture
def measured(monitor: InferenceMonitor, facts_in: Callable[[Topic], list[Fact]]) -> Measured:
    def read() -> list[InferenceMeasured]:
        monitor.close()
        return [fact for fact in facts_in(INFERENCE) if isinstance(fact, InferenceMeasured)]

    return read


FEEDS = {"x": np.array([1.0, 2.0], np.float32)}


def test_a_frame_is_one_measurement_with_its_stages_and_features(
    session: InstrumentedSession, measured: Measured
) -> None:
    with session.frame(np.full((48, 64, 3), 90, np.uint8)) as frame:
        [result] = frame.run(None, FEEDS)
        with frame.stage("mask"):
            pass
        with frame.stage("mask"):
            pass
        frame.record(faces=np.int64(1), detection_score=np.float32(0.5), queue_depth=2)

    assert np.array_equal(result, FEEDS["x"])
    [fact] = measured()
    assert fact.detect_ms is not None
    assert fact.mask_ms is not None
    assert fact.latency_ms is not None
    assert fact.latency_ms >= fact.detect_ms + fact.mask_ms > 0
    assert (fact.faces, fact.detection_score) == (1, 0.5)
    assert fact.luma_mean == pytest.approx(90)
    assert (fact.luma_std, fact.laplacian_var) == (0.0, 0.0)
    assert (fact.extra_names, fact.extra_values) == (("queue_depth",), (2.0,))
    assert (fact.frame, fact.align_ms, fact.fps, fact.dropped_frames) == (0, None, None, None)


def test_a_run_may_belong_to_another_stage(
    session: InstrumentedSession, measured: Measured
) -> None:
    with session.frame() as frame:
        frame.run(["y"], FEEDS, stage="mark")

    [fact] = measured()
    assert fact.mark_ms is not None
    assert fact.detect_ms is None


def test_a_gap_in_the_cameras_numbers_is_dropped_frames(
    session: InstrumentedSession, measured: Measured
) -> None:
    for number in (10, 11, 15, 16):
        with session.frame(number=number):
            pass

    facts = measured()
    assert [fact.frame for fact in facts] == [10, 11, 15, 16]
    assert [fact.dropped_frames for fact in facts] == [None, 0, 3, 0]
    assert all(fact.fps is not None and fact.fps > 0 for fact in facts[1:])


def test_only_the_latency_is_one_call(session: InstrumentedSession, measured: Measured) -> None:
    [result] = session.run(None, FEEDS)

    assert np.array_equal(result, FEEDS["x"])
    [fact] = measured()
    assert fact.detect_ms is not None
    assert session.get_inputs()[0].name == "x"
    assert session.get_outputs()[0].name == "y"


def test_an_error_in_the_frame_comes_through_and_the_frame_is_still_measured(
    session: InstrumentedSession, measured: Measured
) -> None:
    def node() -> None:
        with session.frame() as frame:
            frame.run(None, FEEDS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        node()

    [fact] = measured()
    assert fact.detect_ms is not None


@pytest.mark.parametrize(
    ("measures", "error", "says"),
    [
        ({"detection_score": float("nan")}, InvalidFact, "is nan"),
        ({"faces": 0.5}, InvalidFact, "whole number"),
        ({"faces": -1}, InvalidFact, "0 or more"),
        ({"queue_depth": float("inf")}, InvalidFact, "is inf"),
        ({"blur": 1.0}, UndeclaredMetric, "declare it"),
    ],
)
def test_bad_measures_are_refused_where_they_are_recorded(
    session: InstrumentedSession,
    measured: Measured,
    measures: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    with session.frame() as frame, pytest.raises(error, match=says):
        frame.record(**measures)

    [fact] = measured()
    assert fact.extra_names == ()


def test_a_stage_that_does_not_exist_is_refused(session: InstrumentedSession) -> None:
    with session.frame() as frame, pytest.raises(InvalidFact, match="give one of detect, mark"):
        frame.stage("guess")


def test_a_frame_keeps_nothing_of_its_image(
    session: InstrumentedSession, measured: Measured
) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    frame = session.frame(image)

    assert not any(
        value is image or isinstance(value, np.ndarray) for value in vars(frame).values()
    )


def test_other_bytes_than_the_registered_never_run(
    settings: Settings, model: RegisteredModel, monitor: InferenceMonitor, artifact: Path
) -> None:
    artifact.write_bytes(identity_model() + message(6, b"changed"))

    with pytest.raises(ArtifactCorrupt):
        InstrumentedSession(model, settings=settings, monitor=monitor)
    with pytest.raises(ArtifactCorrupt, match="fetch it with fetch_artifact"):
        InstrumentedSession(model, settings=settings, monitor=monitor, artifact=artifact)


def test_a_missing_artifact_says_so(
    settings: Settings, model: RegisteredModel, monitor: InferenceMonitor, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactNotFound):
        InstrumentedSession(
            model, settings=settings, monitor=monitor, artifact=tmp_path / "nothing.onnx"
        )


def test_cuda_comes_first_where_there_is_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = "modeltrail.producers.monitoring.runtime._has_driver"
    offered = ["TensorrtExecutionProvider", CUDA, CPU]

    monkeypatch.setattr(runtime, lambda: True)
    assert preferred(offered) == [CUDA, CPU]
    monkeypatch.setattr(runtime, lambda: False)
    assert preferred(offered) == [CPU]
    assert preferred([CPU]) == [CPU]


def test_the_ten_lines_of_the_documentation_instrument_a_node(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    model: RegisteredModel,
    log: MemoryLog,
    ids: MemorySchemaIds,
    facts_in: Callable[[Topic], list[Fact]],
) -> None:
    # Given the snippet in the class's documentation, and what it says is the node's own
    assert InstrumentedSession.__doc__ is not None
    snippet = textwrap.dedent(
        InstrumentedSession.__doc__.split("::\n\n")[1].split("\n\n    Who")[0]
    )
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 10
    own = {
        "camera": [np.full((48, 64, 3), 90, np.uint8)] * 3,
        "to_feeds": lambda image: FEEDS,
        "mask": lambda image, outputs: (1, 0.9),
    }

    # When it runs against a registry that knows the model
    class Registry:
        def get_model(self, model_id: str) -> RegisteredModel:
            return model

    def session(given: RegisteredModel, node_id: str) -> InstrumentedSession:
        monitor = InferenceMonitor(settings, model=given, node_id=node_id, log=log, schema_ids=ids)
        opened = InstrumentedSession(given, settings=settings, monitor=monitor)
        opened._owned = True
        return opened

    monkeypatch.setattr(modeltrail, "ModelRegistry", Registry, raising=False)
    monkeypatch.setattr(modeltrail, "InstrumentedSession", session, raising=False)
    exec(compile(snippet, "snippet", "exec"), own)

    # Then every frame was measured
    facts = [fact for fact in facts_in(INFERENCE) if isinstance(fact, InferenceMeasured)]
    assert [(fact.faces, fact.detection_score) for fact in facts] == [(1, 0.9)] * 3
    assert all(fact.mask_ms is not None and fact.detect_ms is not None for fact in facts)
