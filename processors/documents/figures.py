"""Draws a figure as SVG, the same bytes every time, or as bars of text."""

import io
import math
from importlib.util import find_spec

from modeltrail.infra.errors import ConfigError
from modeltrail.processors.documents.document import Figure
from modeltrail.processors.documents.tables import number, sparkline, thinned

_INCHES = (7.2, 2.6)
_BARS = 60
_LONGEST_NAME = 40
#: Between values beyond this an axis has no ticks that a float could count.
_TALLEST = 1e150


def figure_block(figure: Figure) -> str:
    """The figure as Markdown: a fenced block that HTML replaces with the drawing."""
    lines = []
    for curve in figure.curves:
        bars = sparkline(thinned(curve.ys, _BARS))
        finite = [value for value in curve.ys if math.isfinite(value)]
        span = f"{number(min(finite))} to {number(max(finite))}" if finite else "nothing finite"
        lines.append(f"{bars}  {curve.name[:_LONGEST_NAME]}: {span}".replace("`", "'"))
    body = "\n".join(lines)
    return f"```figure {figure.name}\n{figure.title}\n{body}\n```"


def svg_of(figure: Figure) -> str:
    """The figure as an SVG element.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise ConfigError("plots need matplotlib: `pip install modeltrail[documents]`")
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    # The salt and the missing date make the same figure the same bytes.
    with mpl.rc_context({"svg.hashsalt": "modeltrail", "svg.fonttype": "none"}):
        canvas = Canvas(figsize=_INCHES, layout="constrained")
        axes = canvas.add_subplot()
        for curve in figure.curves:
            marker = "o" if len(curve.xs) < 3 else None
            heights = [value if abs(value) < _TALLEST else math.nan for value in curve.ys]
            axes.plot(curve.xs, heights, label=_plain(curve.name), linewidth=1.2, marker=marker)
        if figure.limit is not None:
            axes.axhline(figure.limit, color="0.5", linestyle="--", linewidth=0.8)
        axes.set_title(_plain(figure.title), fontsize="medium", loc="left")
        axes.set_xlabel(_plain(figure.x_label))
        axes.set_ylabel(_plain(figure.y_label))
        axes.grid(visible=True, linewidth=0.3)
        if len(figure.curves) > 1:
            axes.legend(fontsize="small", frameon=False)
        out = io.StringIO()
        FigureCanvasSVG(canvas)
        canvas.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _plain(text: str) -> str:
    # matplotlib sets what lies between dollars as mathematics.
    return text.replace("$", r"\$")
