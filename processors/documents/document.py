"""Answers what a document is before it is written: its parts by name, its figures, its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeltrail.processors.documents.citing import Source


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a figure."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Lines over one axis: drawn in HTML, as a row of bars in Markdown; `caption` cites them."""

    name: str
    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    limit: float | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose text is folded, and only has to be laid out.

    Attributes:
        template: which template lays it out: `model_card` or `experiment_report`.
        title: its heading.
        parts: Markdown by name; a part with nothing to tell is an empty string.
        head: the YAML block at its top; empty: none.
        figures: by name; a part refers to one by a fenced block `figure NAME`.
        sources: the events that its numbers cite, by the number in the text.
        citations: how many numbers cite one.
        as_of: moment of the log that it tells of, in words.
    """

    template: str
    title: str
    parts: Mapping[str, str]
    head: Mapping[str, Any]
    figures: Mapping[str, Figure]
    sources: Sequence[tuple[int, Source]]
    citations: int
    as_of: str

    @property
    def sections(self) -> tuple[str, ...]:
        """The parts that have something to tell."""
        return tuple(sorted(name for name, part in self.parts.items() if part))
