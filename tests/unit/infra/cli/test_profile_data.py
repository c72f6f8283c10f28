"""The columns of a CSV are found by all its rows, and what holds no numbers is named."""

from pathlib import Path

import numpy as np
import pytest

from modeltrail.infra.cli.profile import _show
from modeltrail.infra.cli.profile_data import from_file
from modeltrail.producers.profiling.profile import reference_profile
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version

MODEL = RegisteredModel(
    ModelId("centerface"), Version("v1.0.0"), "", Sha256(bytes(32)), 1, {}, (), "", Micros(0)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "validation.csv"


def test_a_measure_without_a_value_in_the_first_rows_is_a_column_of_numbers(table: Path) -> None:
    table.write_text("luma_mean,face_size\n" + "100.5,\n" * 120 + "90.5,0.25\n" * 500)

    columns = from_file(table, "", [])

    assert list(columns.values) == ["luma_mean", "face_size"]
    assert np.isnan(columns.values["face_size"]).sum() == 120
    assert columns.left_out == ()


def test_whole_numbers_may_turn_into_fractions(table: Path) -> None:
    table.write_text("luma_mean\n" + "0\n" * 150 + "0.5\n" * 50)

    assert from_file(table, "", []).values["luma_mean"].sum() == 25


@pytest.mark.parametrize("missing", ["NA", "N/A", "null", ""])
@pytest.mark.parametrize("first", [0, 300])
def test_a_missing_value_may_be_written_in_words(table: Path, missing: str, first: int) -> None:
    rows = ["100.5,0.2\n"] * 301
    rows[first] = f"100.5,{missing}\n"
    table.write_text("luma_mean,face_size\n" + "".join(rows))

    face_size = from_file(table, "", []).values["face_size"]

    assert np.flatnonzero(np.isnan(face_size)).tolist() == [first]


def test_the_command_names_the_columns_that_it_left_out(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given columns of text, of truth values, of nothing and, but for one cell, of numbers
    rows = [f"{100 + row % 7}.5,gate,true,,0.2\n" for row in range(200)]
    rows[199] = "100.5,gate,true,,unknown\n"
    table.write_text("luma_mean,node[0],masked,empty,face_size\n" + "".join(rows))

    columns = from_file(table, "", [])
    _show(reference_profile(MODEL, columns.dataset, columns.values, Micros(1)), columns)

    assert columns.left_out == ("node[0]", "masked", "empty", "face_size")
    said = capsys.readouterr().out
    assert "Left out, as not all they hold are numbers: node[0], masked, empty, face_size" in said


def test_what_was_not_asked_for_is_not_named(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text("luma_mean,node\n" + "100.5,gate\n100.25,gate\n" * 100)

    columns = from_file(table, "", ["luma_mean"])
    _show(reference_profile(MODEL, columns.dataset, columns.values, Micros(1)), columns)

    assert columns.left_out == ()
    assert "Left out" not in capsys.readouterr().out
