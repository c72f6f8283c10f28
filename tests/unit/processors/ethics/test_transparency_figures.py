"""What a model rests on is found by trying: columns permuted, parts of an image covered."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage import data
from skl2onnx import to_onnx
from sklearn.tree import DecisionTreeClassifier

from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.schemas.events import AssessmentRefusal
from tests.assessed import assessed, report_of

TABULAR = """
outcome: {truth: truth}
model: {inputs: [used, ignored]}
sensitive: [used]
cuts: {used: [0]}
"""


@pytest.fixture
def table() -> pd.DataFrame:
    chance = np.random.default_rng(4)
    frame = pd.DataFrame(chance.normal(size=(400, 2)), columns=["used", "ignored"])
    frame["truth"] = (frame["used"] > 0.2).astype(int)
    return frame


@pytest.fixture
def stump(table: pd.DataFrame, tmp_path: Path) -> Path:
    """A model that looks at the first column only."""
    tree = DecisionTreeClassifier(max_depth=1).fit(table[["used", "ignored"]], table["truth"])
    first = table[["used", "ignored"]].to_numpy(np.float32)[:1]
    path = tmp_path / "stump.onnx"
    onnx = to_onnx(tree, first, options={"zipmap": False})
    path.write_bytes(onnx.SerializeToString())
    return path


def test_a_column_that_is_used_is_important_and_another_one_is_not(
    table: pd.DataFrame, stump: Path, tmp_path: Path
) -> None:
    judged = assessed(tmp_path, table, TABULAR, model=stump)
    importance = report_of(judged)["transparency"]["importance"]
    assert importance["ignored"]["value"] == 0
    # Permuted, the column agrees with itself as often as two draws fall on the same side of 0.2.
    above = float((table["used"] > 0.2).mean())
    low, high = importance["used"]["interval"]
    assert low - 0.02 < 2 * above * (1 - above) < high + 0.02
    fired = {each.rule for each in judged.recommendations}
    assert fired >= {"ONE_FEATURE_DECIDES", "SENSITIVE_FEATURE_USED"}


def test_scores_of_a_model_are_cut_at_the_threshold(
    table: pd.DataFrame, stump: Path, tmp_path: Path
) -> None:
    settings = TABULAR.replace("ignored]}", "ignored], output: probabilities}")
    labels = report_of(assessed(tmp_path, table, TABULAR, model=stump))
    scores = report_of(assessed(tmp_path, table, settings, model=stump))
    assert scores["fairness"] == labels["fairness"]
    assert scores["transparency"]["importance"] == labels["transparency"]["importance"]


def test_the_score_is_the_share_of_items_that_are_met(
    table: pd.DataFrame, stump: Path, tmp_path: Path
) -> None:
    record = ModelRecord(
        {"License": "MIT", "limitations": " ", "Intended use": "tests"},
        {"dataset": "drawn", "run_id": None},
        ("X",),
        (),
    )
    judged = assessed(tmp_path, table, TABULAR, model=stump, record=record)
    items = report_of(judged)["transparency"]["items"]
    met = {name for name, each in items.items() if each["value"]}
    assert met == {
        "metadata.licence", "metadata.intended_use", "lineage.dataset", "signature.inputs",
        "explained", "groups_are_judged",
    }  # fmt: skip
    assert judged.transparency_score == pytest.approx(len(met) / len(items))


@pytest.mark.parametrize("broken", [b"", b"no model", b"\x08\x08\x3a\x03\x12\x01x"])
def test_a_model_that_does_not_load_is_refused(
    broken: bytes, table: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(broken)
    with pytest.raises(Refused) as refused:
        assessed(tmp_path, table, TABULAR, model=path)
    assert refused.value.reason is AssessmentRefusal.MODEL_FAILED


def test_a_face_detector_looks_at_the_face(tmp_path: Path) -> None:
    # Given a real face in the upper half of a picture, and the detector of the demo.
    picture = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    table = pd.DataFrame({"image": [encoded.getvalue()] * 20})
    model = tmp_path / "centerface.onnx"
    model.write_bytes(with_free_input_size(pinned_model()))

    # When covered patch by patch.
    settings = "explain: {image: image, images: 1, patches: 8}\n"
    judged = assessed(tmp_path, table, settings, model=model, parquet=True)

    # Then the score falls most where the face is: rows 60 to 200, columns 170 to 280 of 512.
    found = report_of(judged)["transparency"]["occlusion"]["image_1"]
    assert found["score"] > 0.5
    assert found["drop"]["value"] > 0.1
    assert found["patch"]["row"] in (1, 2, 3)
    assert found["patch"]["column"] in (2, 3, 4)
    with Image.open(io.BytesIO(judged.maps["image_1"])) as drawn:
        pixels = np.asarray(drawn).astype(int)
    assert pixels.shape == (320, 320, 3)
    red = pixels[:, :, 0] - pixels[:, :, 2]
    row, column = np.unravel_index(int(red.argmax()), red.shape)
    assert row // 40 == found["patch"]["row"]
    assert column // 40 == found["patch"]["column"]


def test_a_column_without_pictures_is_said_to_have_none(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(with_free_input_size(pinned_model()))
    judged = assessed(tmp_path, table, "explain: {image: used}\n", model=model)
    assert "transparency.occlusion: an image is missing" in judged.not_judged
