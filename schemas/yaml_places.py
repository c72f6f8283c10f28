"""Reads YAML so that what is wrong with a value can be told with its line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

from modeltrail.schemas.errors import ModeltrailError

_NULL = "tag:yaml.org,2002:null"


class NotYaml(ModeltrailError, ValueError):
    """The text is no YAML: the message has the line."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a YAML text: what it is, and where."""

    node: yaml.Node
    path: str = ""

    @property
    def line(self) -> int:
        """The line it begins on, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def column(self) -> int:
        """The column it begins in, from 1."""
        return int(self.node.start_mark.column) + 1

    @property
    def is_null(self) -> bool:
        """Whether it is null, or nothing was written."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _NULL

    def scalar(self) -> Any:
        """The value, if it is a single one; None for mappings and lists, as for null."""
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(self.node)
        finally:
            loader.dispose()


@dataclass(slots=True)
class Reader:
    """Takes a text apart and collects what is wrong with it, in the order of lines."""

    problems: list[str] = field(default_factory=list)

    def complain(self, place: Place, problem: str) -> None:
        """Note what is wrong at a place, and what to do."""
        about = f"{place.path}: " if place.path else ""
        self.problems.append(f"line {place.line}: {about}{problem}")

    def items(self, place: Place, known: tuple[str, ...] = ()) -> Iterator[tuple[str, Place]]:
        """The entries of a mapping, each name once; with `known`, only those names."""
        if not isinstance(place.node, yaml.MappingNode):
            self.complain(place, f"must be a mapping{_such_as(known)}")
            return
        seen: set[str] = set()
        for key, value in place.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            entry = Place(value, f"{place.path}.{name}" if place.path else name)
            here = Place(key, place.path)
            if name in seen:
                self.complain(here, f"{name!r} is there twice: keep one")
            elif known and name not in known:
                self.complain(here, f"unknown field {name!r}: {_nearest(name, known)}")
            else:
                yield name, entry
            seen.add(name)

    def elements(self, place: Place) -> Iterator[Place]:
        """The elements of a list."""
        if not isinstance(place.node, yaml.SequenceNode):
            self.complain(place, "must be a list")
            return
        for index, node in enumerate(place.node.value):
            yield Place(node, f"{place.path}[{index + 1}]")


def root_of(text: str) -> Place | None:
    """The one document of a text; None: it is empty.

    Raises:
        NotYaml: it cannot be read.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        hint = '; write "*" in quotes' if "alias" in str(error) else ""
        raise NotYaml(f"not YAML: {_told(error)}{hint}") from error
    return None if node is None else Place(node)


def _told(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).replace("\n", " ")


def _such_as(known: tuple[str, ...]) -> str:
    return f" of {', '.join(known)}" if known else ""


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"
