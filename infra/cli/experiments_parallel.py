"""Draws runs as parallel coordinates: an axis a setting and a metric, a line a run."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modeltrail.infra.cli.experiments_plot import (
    MOST_PANELS,
    CannotPlot,
    colours_of,
    label,
    new_figure,
)
from modeltrail.producers.experiments.comparison import Comparison
from modeltrail.schemas.run_settings import configuration_differences

_INCHES_AN_AXIS = 1.6
_HEIGHT_INCHES = 4.8
_LOG_FROM = 100
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Axis:
    """Where each run lies on an axis, 0 to 1, NaN where it has no value; and what stands there."""

    name: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


def draw_parallel(runs: Sequence[Comparison], metrics: Sequence[str] = ()) -> Any:
    """A figure of the settings that differ, then the final metrics (all unless some are named).

    Raises:
        CannotPlot: there are fewer than two axes, or more than 60.
    """
    axes = axes_of(runs, metrics)
    if len(axes) < 2:
        raise CannotPlot(
            "fewer than two axes: choose runs that differ in a setting and have metrics"
        )
    if len(axes) > MOST_PANELS:
        raise CannotPlot(
            f"{len(axes):,} axes, {MOST_PANELS} fit a figure: choose metrics with --metric, "
            "or runs that differ in fewer settings"
        )
    figure = new_figure(max(6.4, _INCHES_AN_AXIS * len(axes)), _HEIGHT_INCHES)
    panel = figure.subplots()
    panel.set_xticks(range(len(axes)), [label(axis.name) for axis in axes], fontsize="small")
    panel.set_xlim(-0.2, len(axes) - 0.5)
    panel.set_ylim(-0.05, 1.05)
    panel.yaxis.set_visible(False)
    panel.spines[:].set_visible(False)
    for at, axis in enumerate(axes):
        panel.axvline(at, color="0.6", linewidth=1)
        for place, text in axis.ticks:
            panel.annotate(
                label(text), (at, place), (3, 0), textcoords="offset points", fontsize="x-small"
            )
    _draw_lines(figure, panel, runs, axes)
    return figure


def axes_of(runs: Sequence[Comparison], metrics: Sequence[str]) -> list[Axis]:
    """The axes: settings that differ, by name, then final metrics."""
    settings = configuration_differences({run.run_id: run.settings for run in runs})
    names = metrics or sorted({name for run in runs for name in run.final_metrics})
    return [
        *(_axis(name, [run.settings.get(name) for run in runs]) for name in settings),
        *(
            _axis(name, [run.final_metrics.get(name) for run in runs])
            for name in names
            if any(name in run.final_metrics for run in runs)
        ),
    ]


def _draw_lines(figure: Any, panel: Any, runs: Sequence[Comparison], axes: Sequence[Axis]) -> None:
    # Lines over each other tell their story by the colour of the last axis.
    last = axes[-1].places
    if len(runs) <= _MOST_NAMED:
        colours = colours_of(len(runs))
    else:
        from matplotlib import colormaps

        colours = [colormaps["viridis"](place) if place == place else "0.8" for place in last]
    lines = [
        panel.plot(
            [axis.places[number] for axis in axes],
            color=colour,
            linewidth=1.3,
            alpha=0.8,
            marker=".",
        )[0]
        for number, colour in enumerate(colours)
    ]
    if len(runs) <= _MOST_NAMED:
        names = [label(run.run_id) for run in runs]
        figure.legend(lines, names, loc="outside lower center", ncols=2, fontsize="small")


def _axis(name: str, values: Sequence[Any]) -> Axis:
    known = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return _number_axis(name, values)
    texts = [None if value is None else _text(value) for value in values]
    kinds = sorted({text for text in texts if text is not None})
    places = {text: _spread(number, 0, len(kinds) - 1) for number, text in enumerate(kinds)}
    found = tuple(math.nan if text is None else places[text] for text in texts)
    return Axis(name, found, tuple((places[text], text) for text in kinds))


def _number_axis(name: str, values: Sequence[float | None]) -> Axis:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    # A learning rate is chosen by its order of magnitude.
    scale = math.log10 if low > 0 and high / low >= _LOG_FROM else float
    places = [
        math.nan if value is None else _spread(scale(value), scale(low), scale(high))
        for value in values
    ]
    ticks = [(_spread(scale(end), scale(low), scale(high)), f"{end:.4g}") for end in {low, high}]
    return Axis(name, tuple(places), tuple(ticks))


def _spread(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
