"""Draws the metrics of runs over their steps, and writes figures as PNG or SVG."""

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modeltrail.infra.errors import ConfigError
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.sinks.queries.metric_history import Curve

_ENDINGS = (".png", ".svg")
_PANEL_INCHES = (6.4, 2.8)
_MOST_COLUMNS = 2
_MOST_NAMED = 20
_LONGEST_LABEL = 40
_DOTS_PER_INCH = 120
_FEW_POINTS = 30
# An image has 65,536 pixels a side at the most.
MOST_PANELS = 60


class CannotPlot(ModeltrailError):
    """The runs have too few or too many values for such a figure: choose other runs or metrics."""


class PlotNotWritten(ModeltrailError):
    """The file of a plot cannot be written: give another."""


def require_plots(path: Path) -> None:
    """Check what can be known before anything is read.

    Raises:
        ConfigError: matplotlib is not installed, or the file's ending is neither .png nor .svg.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"{path} is neither .png nor .svg: give the file one of these endings")
    if find_spec("matplotlib") is None:
        raise ConfigError("plots need matplotlib: install it with `pip install modeltrail[plots]`")


def draw_curves(runs: Mapping[str, Mapping[str, Curve]]) -> Any:
    """A figure with a panel for each metric and a line for each run.

    Where steps were drawn together, a band shows their smallest and largest values.

    Raises:
        CannotPlot: no run has a metric with steps, or there are more than 60 metrics.
    """
    names = sorted({name for curves in runs.values() for name in curves})
    if not names:
        raise CannotPlot("no metric with steps in these runs: choose other runs or metrics")
    if len(names) > MOST_PANELS:
        raise CannotPlot(
            f"{len(names):,} metrics, {MOST_PANELS} fit a figure: choose some with --metric"
        )
    figure, panels = _panels(len(names))
    colours = colours_of(len(runs))
    lines = {}
    for panel, name in zip(panels, names, strict=True):
        panel.set_title(label(name), fontsize="medium")
        panel.set_xlabel("step")
        panel.xaxis.get_major_locator().set_params(integer=True)
        for (run_id, curves), colour in zip(runs.items(), colours, strict=True):
            if name in curves:
                lines[run_id] = _draw(panel, curves[name], colour)
    named = dict(list(lines.items())[:_MOST_NAMED])
    figure.legend(
        list(named.values()),
        [label(run_id) for run_id in named],
        loc="outside lower center",
        ncols=2,
        fontsize="small",
        title=f"{len(named)} of {len(lines)} runs" if len(named) < len(lines) else None,
    )
    return figure


def save(figure: Any, path: Path) -> None:
    """Write a figure as its ending says; text stays text in SVG.

    Raises:
        PlotNotWritten: the file cannot be written.
    """
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        # A name may hold an emoji that the font does not have.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        try:
            figure.savefig(path, format=path.suffix[1:].lower(), dpi=_DOTS_PER_INCH)
        except OSError as error:
            raise PlotNotWritten(f"{path}: {error.strerror}; give another --output") from error


def label(name: str) -> str:
    """A name as it fits a figure; a dollar is no mathematics."""
    if len(name) > _LONGEST_LABEL:
        half = _LONGEST_LABEL // 2
        name = f"{name[:half]}…{name[-half:]}"
    return name.replace("$", r"\$")


def colours_of(count: int) -> Sequence[Any]:
    """Colours that can be told apart, as far as `count` allows."""
    from matplotlib import colormaps

    if count <= 10:
        return [colormaps["tab10"](number) for number in range(count)]
    return [colormaps["viridis"](number / (count - 1)) for number in range(count)]


def new_figure(width: float, height: float) -> Any:
    """An empty figure of this size, inches, that draws without any display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _panels(count: int) -> tuple[Any, list[Any]]:
    columns = min(count, _MOST_COLUMNS)
    rows = -(-count // columns)
    width, height = _PANEL_INCHES
    figure = new_figure(width * columns, height * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = list(grid.flat)
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def _draw(panel: Any, curve: Curve, colour: Any) -> Any:
    marker = "." if len(curve.steps) <= _FEW_POINTS else None
    [line] = panel.plot(curve.steps, curve.means, color=colour, linewidth=1.2, marker=marker)
    if curve.minima != curve.maxima:
        panel.fill_between(
            curve.steps, curve.minima, curve.maxima, color=colour, alpha=0.2, linewidth=0
        )
    return line
