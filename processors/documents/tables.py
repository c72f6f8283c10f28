"""Writes numbers, texts and tables as Markdown that reads well and cannot break out of its cell."""

import math
from collections.abc import Iterable, Sequence

#: Stands where there is nothing to tell.
NONE = "-"
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_SPECIAL = str.maketrans({char: "\\" + char for char in "\\`*_[]<>|#~"})


def number(value: float | None) -> str:
    """Four significant digits; thousands in groups."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.4g}"


def between(low: float | None, high: float | None) -> str:
    """An interval, or a dash where there is none."""
    return NONE if low is None or high is None else f"{number(low)} to {number(high)}"


def text(value: object) -> str:
    """What somebody wrote, in one line and without meaning to Markdown or HTML."""
    return " ".join(str(value).split()).translate(_SPECIAL)


def code(value: object) -> str:
    """An id or a digest as it is; nothing for nothing."""
    return f"`{' '.join(str(value).replace('`', ' ').replace('|', ' ').split())}`" if value else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; an empty one is an empty string."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *lines])


def sparkline(values: Sequence[float]) -> str:
    """The course of values as eight heights of a bar; a dot where one is not finite."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return _GAP * len(values)
    low = min(finite)
    # Halved, as the range of very large values may not be finite itself.
    span = max(finite) / 2 - low / 2 or 1.0
    steps = len(_BARS) - 1
    return "".join(
        _BARS[round((value / 2 - low / 2) / span * steps)] if math.isfinite(value) else _GAP
        for value in values
    )


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most `most` of the values, evenly spread, with the first and the last."""
    if len(values) <= most:
        return list(values)
    last = len(values) - 1
    return [values[round(place * last / (most - 1))] for place in range(most)]
