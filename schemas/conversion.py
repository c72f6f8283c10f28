"""Turns typed events into the plain records that Avro libraries speak, and back."""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, get_args, get_origin, get_type_hints

from modeltrail.schemas.events.base import Fact

T = TypeVar("T", bound=Fact)
Convert = Callable[[Any], Any]


def record_from_fact(fact: Any) -> dict[str, Any]:
    """The record of a typed event; nested dataclasses become nested records."""
    kind: Any = type(fact)
    return {
        name: [record_from_fact(item) for item in value] if nested else value
        for name, nested in _layout(kind)
        for value in (getattr(fact, name),)
    }


def fact_from_record(kind: type[T], record: dict[str, Any]) -> T:
    """The typed event of a record of the newest schema of `kind`."""
    return _build(kind, record)  # type: ignore[no-any-return]


@cache
def _layout(kind: Any) -> tuple[tuple[str, bool], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _item_is_record(hints[field.name])) for field in fields(kind))


def _item_is_record(hint: Any) -> bool:
    return get_origin(hint) is tuple and is_dataclass(get_args(hint)[0])


def _build(kind: Any, record: dict[str, Any]) -> Any:
    return kind(
        **{
            name: convert(record[name]) if convert else record[name]
            for name, convert in _converters(kind)
        }
    )


@cache
def _converters(kind: Any) -> tuple[tuple[str, Convert | None], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _converter(hints[field.name])) for field in fields(kind))


def _build_all(kind: Any, records: Iterable[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_build(kind, record) for record in records)


def _converter(hint: Any) -> Convert | None:
    if isinstance(hint, NewType):
        return _converter(hint.__supertype__)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return partial(_build_all, item) if is_dataclass(item) else tuple
    if isinstance(hint, UnionType):
        inner = next(part for part in get_args(hint) if part is not NoneType)
        convert = _converter(inner)
        return (lambda value: None if value is None else convert(value)) if convert else None
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return None
