"""An assessment runs in a process of its own, whatever the data and the model do to it."""

import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skimage.data
from PIL import Image

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.confined import Interrupted, Limits
from modeltrail.infra.errors import Unavailable
from modeltrail.processors.ethics.assessor import LIMITS, assess_in_confinement
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.job import AssessmentJob, Registration
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.producers.errors import ArtifactNotFound, UnknownModel
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.registry.artifacts import ArtifactStore
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.assessment_settings import assessment_json, assessment_settings
from modeltrail.schemas.events import (
    AssessmentRefusal,
    AssessmentRefused,
    AssessmentRequested,
    EthicsAssessed,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from tests.assessed import NOTHING_WRITTEN, assessed

SETTINGS = "outcome: {truth: truth, prediction: predicted}\nsensitive: [sex]\n"


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "sex": chance.choice(["f", "m"], 200),
            "truth": chance.integers(0, 2, 200),
            "predicted": chance.integers(0, 2, 200),
        }
    )


@pytest.fixture
def data(table: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    table.to_csv(path, index=False)
    return path


def json_of(settings: str) -> str:
    return assessment_json(assessment_settings(settings))


def test_the_confined_process_finds_what_is_found_here(
    table: pd.DataFrame, data: Path, tmp_path: Path
) -> None:
    confined = assess_in_confinement(json_of(SETTINGS), data, None, NOTHING_WRITTEN)
    assert confined == assessed(tmp_path, table, SETTINGS)


def test_its_refusals_come_back_with_their_reason(data: Path) -> None:
    with pytest.raises(Refused) as refused:
        assess_in_confinement(
            json_of(SETTINGS.replace("[sex]", "[age]")), data, None, NOTHING_WRITTEN
        )
    assert refused.value.reason is AssessmentRefusal.MISSING_COLUMNS


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (replace(LIMITS, wall_s=0.2), "wall_s"),
        (replace(LIMITS, answer_bytes=1000), "answer_bytes"),
        (replace(LIMITS, memory_mb=64), "memory_mb"),
    ],
)
def test_a_limit_that_is_reached_is_named(
    limits: Limits, name: str, table: pd.DataFrame, data: Path
) -> None:
    if name == "memory_mb":
        table.sample(1_000_000, replace=True, random_state=0).to_csv(data, index=False)
    with pytest.raises(Refused) as refused:
        assess_in_confinement(json_of(SETTINGS), data, None, NOTHING_WRITTEN, limits=limits)
    assert refused.value.reason is AssessmentRefusal.OUT_OF_LIMITS
    assert name in refused.value.detail, refused.value.detail


REQUEST = AssessmentRequested(
    EventId(b"r" * 16), Micros(1), ModelId("credit"), Version("v1.0.0"), "file:///data",
    Sha256(bytes(32)), 10, SETTINGS,
)  # fmt: skip


def job(data: Path, *, find_fails: Exception | None = None) -> AssessmentJob:
    def find(model_id: ModelId, version: Version) -> Registration:
        if find_fails:
            raise find_fails
        record = ModelRecord({"licence": "MIT"}, {}, (), ())
        return Registration(record, lambda: data.with_name("no.onnx"))

    def fetch(sha256: Sha256, uri: str) -> Path:
        if not data.exists():
            raise ArtifactNotFound(f"nothing at {uri}")
        return data

    return AssessmentJob(find, fetch, lambda name, png: f"file:///{name}", ManualClock())


def done(made: AssessmentJob, request: AssessmentRequested = REQUEST) -> object:
    return made.do(Appended(0, 0, 0, request), threading.Event())


def test_the_answer_has_the_same_id_whenever_it_is_made(data: Path) -> None:
    first, second = done(job(data)), done(job(data))
    assert isinstance(first, EthicsAssessed)
    assert first == second
    assert first.request_id == REQUEST.event_id
    assert first.rows == 200


def test_occlusion_maps_go_into_the_artifact_store(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.fromarray(data_of_face()).save(picture, "PNG")
    data, model = tmp_path / "images.parquet", tmp_path / "centerface.onnx"
    pd.DataFrame({"image": [picture.getvalue()] * 20}).to_parquet(data)
    model.write_bytes(with_free_input_size(pinned_model()))
    store = ArtifactStore(str(tmp_path / "store"), tmp_path / "cache", largest_mb=8)

    def keep(name: str, png: bytes) -> str:
        path = tmp_path / f"{name}.png"
        path.write_bytes(png)
        return store.put(path).uri

    found = Registration(NOTHING_WRITTEN, lambda: model)
    made = AssessmentJob(lambda *_: found, lambda *_: data, keep, ManualClock())
    settings = "explain: {image: image, images: 1, patches: 4}\n"
    answer = done(made, replace(REQUEST, settings_json=settings))

    assert isinstance(answer, EthicsAssessed)
    uri = json.loads(answer.report_json)["transparency"]["occlusion"]["image_1"]["png_uri"]
    with Image.open(uri.removeprefix("file://")) as drawn:
        assert drawn.format == "PNG"
        assert drawn.size == (320, 320)

    # And a report that their addresses make too large is refused, not tried for ever
    far = AssessmentJob(lambda *_: found, lambda *_: data, lambda *_: "s" * 10**6, ManualClock())
    few = settings.replace("patches: 4", "patches: 2")
    refused = done(far, replace(REQUEST, settings_json=few))
    assert isinstance(refused, AssessmentRefused)
    assert refused.reason is AssessmentRefusal.TOO_LARGE


def data_of_face() -> Any:
    return skimage.data.astronaut()  # type: ignore[no-untyped-call]


def test_what_cannot_be_found_is_refused_for_its_own_reason(data: Path) -> None:
    cases = {
        AssessmentRefusal.UNKNOWN_VERSION: (job(data, find_fails=UnknownModel("none")), REQUEST),
        AssessmentRefusal.INVALID_SETTINGS: (job(data), replace(REQUEST, settings_json="[1]")),
        AssessmentRefusal.DATA_MISSING: (job(data.with_name("gone.csv")), REQUEST),
    }
    for reason, (made, request) in cases.items():
        answer = done(made, request)
        assert isinstance(answer, AssessmentRefused)
        assert answer.reason is reason
        assert answer.detail


def test_a_server_that_is_away_is_no_answer(data: Path) -> None:
    with pytest.raises(Unavailable):
        done(job(data, find_fails=Unavailable("Kafka is away")))


def test_a_worker_that_is_told_to_stop_gives_no_answer(data: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        job(data).do(Appended(0, 0, 0, REQUEST), stop)
