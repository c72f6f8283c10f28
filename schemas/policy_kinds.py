"""Answers what each setting of a policy may be: how it is read from YAML, and its JSON Schema.

One description gives both, so that what an editor accepts and what a deployment accepts agree.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import LONGEST_ID, LONGEST_METRIC_NAME, check_id, check_metric_name
from modeltrail.schemas.yaml_places import Place, Reader
from modeltrail.schemas.yaml_values import number as read_number
from modeltrail.schemas.yaml_values import one_of, switch
from modeltrail.schemas.yaml_values import text as read_text
from modeltrail.schemas.yaml_values import whole as read_whole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be.

    Attributes:
        read: gives the value, or `BAD` after it has complained.
        schema: the same as JSON Schema, draft 2020-12.
    """

    read: Callable[[Reader, Place], Any]
    schema: Mapping[str, Any]


class _Bad:
    """What a value is that could not be read."""


BAD = _Bad()


def setting(default: Any, kind: Kind, doc: str) -> Any:
    """A field of a policy; lists and mappings are made anew for each one."""
    metadata = {"kind": kind, "doc": doc}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def whole(least: int, most: int) -> Kind:
    """A whole number between two bounds, both allowed."""
    return Kind(
        _checked(read_whole, lambda value: _bounds(value, least, most)),
        {"type": "integer", "minimum": least, "maximum": most},
    )


def number(least: float, most: float, *, open_ends: bool = False) -> Kind:
    """A number between two bounds; with `open_ends` the bounds themselves are not allowed."""

    def problem(value: float) -> str | None:
        if open_ends and value in (least, most):
            return f"is {value:g}: give a number between {least:g} and {most:g}, without these"
        return _bounds(value, least, most)

    kinds = ("exclusiveMinimum", "exclusiveMaximum") if open_ends else ("minimum", "maximum")
    return Kind(
        _checked(read_number, problem),
        {"type": "number", kinds[0]: least, kinds[1]: most},
    )


def text(check: Callable[[str], object], **schema: Any) -> Kind:
    """Text that `check` lets through: it raises InvalidFact on any other."""

    def problem(value: str) -> str | None:
        try:
            check(value)
        except InvalidFact as error:
            return str(error)
        return None

    return Kind(_checked(read_text, problem), {"type": "string", **schema})


def name_of(what: str) -> Kind:
    """The name of something: an id."""
    return text(lambda name: check_id(what, name), minLength=1, maxLength=LONGEST_ID)


def truth() -> Kind:
    """True or false."""
    return Kind(_checked(switch, lambda _: None), {"type": "boolean"})


def choice(kind: type[StrEnum]) -> Kind:
    """One symbol of an enum but UNKNOWN; people may write it in small letters."""
    symbols = [member.value for member in kind if member.value != "UNKNOWN"]
    anyhow = "|".join(
        "".join(
            f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter
            for letter in symbol
        )
        for symbol in symbols
    )
    # What editors offer first, and what else is read.
    schema = {"anyOf": [{"enum": symbols}, {"type": "string", "pattern": f"^({anyhow})$"}]}
    return Kind(_checked(one_of(kind), lambda _: None), schema)


def optional(kind: Kind) -> Kind:
    """The value, or null."""

    def read(reader: Reader, place: Place) -> Any:
        return None if place.is_null else kind.read(reader, place)

    return Kind(read, {"anyOf": [{"type": "null"}, kind.schema]})


def list_of(kind: Kind, least: int, most: int) -> Kind:
    """So many values of one kind, as a tuple."""

    def read(reader: Reader, place: Place) -> Any:
        before = len(reader.problems)
        values = [kind.read(reader, each) for each in reader.elements(place)]
        if len(reader.problems) == before and not least <= len(values) <= most:
            reader.complain(place, f"has {len(values)} elements: give {least} to {most}")
        return BAD if len(reader.problems) > before else tuple(values)

    return Kind(read, {"type": "array", "items": kind.schema, "minItems": least, "maxItems": most})


def mapping_of(kind: Kind, most: int) -> Kind:
    """Values of one kind under names, at most so many."""

    def read(reader: Reader, place: Place) -> Any:
        before = len(reader.problems)
        values = {name: kind.read(reader, each) for name, each in reader.items(place)}
        if len(values) > most:
            reader.complain(place, f"has {len(values)} entries: give at most {most}")
        return BAD if len(reader.problems) > before else values

    return Kind(
        read, {"type": "object", "additionalProperties": kind.schema, "maxProperties": most}
    )


def section(kind: type[Any], check: Callable[[Any], str | None] = lambda _: None) -> Kind:
    """A dataclass of settings; `check` tells what is wrong with several of them together."""
    settings: dict[str, Field[Any]] = {each.name: each for each in fields(kind)}
    needed = [
        name
        for name, each in settings.items()
        if each.default is MISSING and each.default_factory is MISSING
    ]

    def read(reader: Reader, place: Place) -> Any:
        before = len(reader.problems)
        given = {
            name: settings[name].metadata["kind"].read(reader, value)
            for name, value in reader.items(place, tuple(settings))
        }
        missing = [name for name in needed if name not in given]
        if missing and len(reader.problems) == before:
            reader.complain(place, f"{', '.join(missing)} missing: say what it is")
        if len(reader.problems) > before:
            return BAD
        made = kind(**given)
        if problem := check(made):
            reader.complain(place, problem)
            return BAD
        return made

    return Kind(read, _section_schema(kind, settings, needed))


def required(kind: Kind, doc: str) -> Any:
    """A field of a policy that has no default."""
    return field(metadata={"kind": kind, "doc": doc})


def _section_schema(
    kind: type[Any], settings: Mapping[str, Field[Any]], needed: list[str]
) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "additionalProperties": False,
        "properties": {
            name: {**each.metadata["kind"].schema, "description": each.metadata["doc"]}
            for name, each in settings.items()
        },
    }
    return {**schema, "required": needed} if needed else schema


def _checked(
    read: Callable[[Reader, Place], T | None], problem_of: Callable[[T], str | None]
) -> Callable[[Reader, Place], Any]:
    def checked(reader: Reader, place: Place) -> Any:
        value = read(reader, place)
        if value is None:
            return BAD
        if problem := problem_of(value):
            reader.complain(place, problem)
            return BAD
        return value

    return checked


def _bounds(value: float, least: float, most: float) -> str | None:
    if math.isfinite(value) and least <= value <= most:
        return None
    return f"is {value:g}: give {least:g} to {most:g}"


_LONGEST_S = 30 * 86_400.0
SECONDS = number(0.0, _LONGEST_S)
POSITIVE_SECONDS = number(0.0, _LONGEST_S, open_ends=True)
METRIC = text(check_metric_name, minLength=1, maxLength=LONGEST_METRIC_NAME)
