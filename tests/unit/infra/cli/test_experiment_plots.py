"""Figures of runs: what is drawn and written, as PNG and SVG."""

import struct
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from modeltrail.infra.cli import experiments_plot
from modeltrail.infra.cli.experiments_parallel import axes_of, draw_parallel
from modeltrail.infra.cli.experiments_plot import (
    CannotPlot,
    PlotNotWritten,
    draw_curves,
    require_plots,
    save,
)
from modeltrail.infra.errors import ConfigError
from modeltrail.producers.experiments.comparison import Comparison
from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.sinks.queries.metric_history import Curve

STEPS = tuple(range(50))
FALLING = tuple(1 / (1 + step) for step in STEPS)
BAND = Curve(
    STEPS, FALLING, tuple(value - 0.1 for value in FALLING), tuple(value + 0.1 for value in FALLING)
)
LINE = Curve(STEPS, FALLING, FALLING, FALLING)
SVG = "{http://www.w3.org/2000/svg}"


def texts(path: Path) -> set[str]:
    return {"".join(each.itertext()).strip() for each in ElementTree.parse(path).iter(f"{SVG}text")}


def run(run_id: str, settings: dict[str, object], **metrics: float) -> Comparison:
    return Comparison(
        RunId(run_id), ExperimentId("threshold"), settings, dict(metrics), 1.0, "finished"
    )


def test_curves_have_a_panel_a_metric_a_line_a_run_and_a_band_where_steps_are_drawn_together(
    tmp_path: Path,
) -> None:
    figure = draw_curves({"run-1": {"loss": BAND, "recall": LINE}, "run-2": {"loss": LINE}})

    loss, recall = figure.axes
    assert (loss.get_title(), recall.get_title()) == ("loss", "recall")
    assert [len(panel.lines) for panel in (loss, recall)] == [2, 1]
    assert [len(panel.collections) for panel in (loss, recall)] == [1, 0]
    assert list(loss.lines[0].get_ydata()) == list(FALLING)
    save(figure, tmp_path / "curves.svg")
    assert {"loss", "recall", "step", "run-1", "run-2"} <= texts(tmp_path / "curves.svg")


def test_a_png_shows_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "curves.PNG"
    save(draw_curves({"run-1": {"loss": BAND}}), path)

    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) > (600, 300)
    pixels = imread(path)[..., :3]
    blue = (pixels[..., 2] > 0.6) & (pixels[..., 0] < 0.3)
    assert np.count_nonzero(blue) > 100


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(PlotNotWritten, match="No such file or directory; give another --output"):
        save(draw_curves({"run-1": {"loss": LINE}}), tmp_path / "missing" / "curves.png")


def test_names_are_drawn_as_they_are_and_long_ones_are_cut(tmp_path: Path) -> None:
    names = ["_hidden", "$x^2$ & <b>", "🦊 run", "a" * 500 + "the end"]
    path = tmp_path / "curves.svg"

    save(draw_curves({name: {name[:20]: LINE} for name in names}), path)

    found = texts(path)
    assert {"_hidden", "$x^2$ & <b>", "🦊 run"} <= found
    assert f"{'a' * 20}…{'a' * 13}the end" in found


def test_of_very_many_runs_some_are_named(tmp_path: Path) -> None:
    figure = draw_curves({f"run-{number}": {"loss": LINE} for number in range(120)})

    assert len(figure.axes[0].lines) == 120
    save(figure, tmp_path / "curves.svg")
    assert "20 of 120 runs" in texts(tmp_path / "curves.svg")


def test_without_a_curve_there_is_no_figure() -> None:
    with pytest.raises(CannotPlot, match="choose other runs"):
        draw_curves({"run-1": {}})
    with pytest.raises(CannotPlot, match="fewer than two axes"):
        draw_parallel([run("a", {"at": 1}), run("b", {"at": 2})])


def test_what_does_not_fit_a_figure_is_refused_and_what_just_fits_is_written(
    tmp_path: Path,
) -> None:
    many = {f"metric-{number}": LINE for number in range(61)}
    with pytest.raises(CannotPlot, match="61 metrics, 60 fit"):
        draw_curves({"run-1": many})
    with pytest.raises(CannotPlot, match="61 axes, 60 fit"):
        draw_parallel([run("a", {}, **dict.fromkeys(many, 1.0))])

    del many["metric-60"]
    save(draw_parallel([run("a", {}, **dict.fromkeys(many, 1.0))]), tmp_path / "parallel.png")
    assert imread(tmp_path / "parallel.png").shape[1] > 10_000


def test_parallel_coordinates_hold_settings_that_differ_and_final_metrics(tmp_path: Path) -> None:
    runs = [
        run("run-1", {"lr": 0.001, "kind": "sgd", "size": 5, "deep": True}, f1=0.5, loss=1.0),
        run("run-2", {"lr": 0.1, "kind": "adam", "size": 5, "deep": False}, f1=0.9),
        run("run-3", {"lr": 0.01, "size": 5, "deep": True}, f1=0.7, loss=2.0),
    ]

    axes = {axis.name: axis for axis in axes_of(runs, ())}

    # A rate of three magnitudes lies by its logarithm; what a run lacks is a gap.
    assert list(axes) == ["deep", "kind", "lr", "f1", "loss"]
    assert axes["lr"].places == pytest.approx((0.0, 1.0, 0.5))
    assert axes["kind"].places == pytest.approx((1.0, 0.0, float("nan")), nan_ok=True)
    assert axes["deep"].places == (1.0, 0.0, 1.0)
    assert axes["f1"].places == pytest.approx((0.0, 1.0, 0.5))
    assert axes["loss"].places == pytest.approx((0.0, float("nan"), 1.0), nan_ok=True)

    path = tmp_path / "parallel.svg"
    save(draw_parallel(runs), path)
    shown = {"lr", "kind", "f1", "loss", "sgd", "adam", "0.001", "0.1", "0.9", "run-1", "run-3"}
    assert shown <= texts(path)
    assert "size" not in texts(path)
    figure = draw_parallel(runs, ["f1"])
    # An axis stands beside each line of a run.
    assert len(figure.axes[0].lines) == 4 + 3


def test_many_parallel_runs_are_coloured_by_the_last_axis() -> None:
    figure = draw_parallel([run(f"run-{n}", {"lr": n}, f1=n / 40) for n in range(40)])

    lines = figure.axes[0].lines[2:]
    assert len(lines) == 40
    assert lines[0].get_color() != lines[39].get_color()
    assert not figure.legends


def test_what_cannot_be_written_is_said_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match=r"neither \.png nor \.svg"):
        require_plots(Path("curves.pdf"))
    require_plots(Path("curves.PNG"))

    monkeypatch.setattr(experiments_plot, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install modeltrail\[plots\]"):
        require_plots(Path("curves.svg"))
