"""Reads single values of YAML as what they must be; None where they are not, with the reason."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from modeltrail.schemas.rule_problems import nearest
from modeltrail.schemas.yaml_places import Place, Reader

E = TypeVar("E", bound=StrEnum)


def text(reader: Reader, place: Place) -> str | None:
    """A text."""
    value = place.scalar()
    if isinstance(value, str):
        return value
    reader.complain(place, f"is {_shown(value)}: give text, in quotes if it looks like a number")
    return None


def number(reader: Reader, place: Place) -> float | None:
    """A number, whole or not."""
    value = place.scalar()
    try:
        # YAML 1.1 takes 1e3 for text.
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    reader.complain(place, f"is {_shown(value)}: give a number")
    return None


def whole(reader: Reader, place: Place) -> int | None:
    """A whole number."""
    value = place.scalar()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    reader.complain(place, f"is {_shown(value)}: give a whole number")
    return None


def switch(reader: Reader, place: Place) -> bool | None:
    """True or false."""
    value = place.scalar()
    if isinstance(value, bool):
        return value
    reader.complain(place, f"is {_shown(value)}: give true or false")
    return None


def names(reader: Reader, place: Place) -> tuple[str, ...]:
    """A list of texts."""
    read = [text(reader, each) for each in reader.elements(place)]
    return tuple(name for name in read if name is not None)


def one_of(kind: type[E]) -> Callable[[Reader, Place], E | None]:
    """A symbol of an enum, in any case; UNKNOWN is none."""
    known = {member.value: member for member in kind if member.value != "UNKNOWN"}

    def read(reader: Reader, place: Place) -> E | None:
        value = place.scalar()
        member = known.get(str(value).upper())
        if member is None:
            near = nearest(str(value).upper(), known)
            reader.complain(place, f"is {_shown(value)}: {near}")
        return member

    return read


def _shown(value: Any) -> str:
    return "not a single value" if value is None else f"{value!r:.40}"
