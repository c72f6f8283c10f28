"""Turns typed events into the plain records that Avro libraries speak, and back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from operator import index
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, get_args, get_origin, get_type_hints

from modeltrail.schemas.columns import Doubles, Longs, doubles, longs
from modeltrail.schemas.events.base import Fact

T = TypeVar("T", bound=Fact)
Convert = Callable[[Any], Any]
_COLUMNS: Mapping[Any, Convert] = {Longs: longs, Doubles: doubles}


def record_from_fact(fact: Any) -> dict[str, Any]:
    """The record of a typed event; nested dataclasses become nested records.

    Raises:
        TypeError: a value that an Avro library would quietly cut or take apart: 1.5 as an integer,
            a string as an array.
    """
    kind: Any = type(fact)
    return {
        name: convert(getattr(fact, name)) if convert else getattr(fact, name)
        for name, convert in _to_record(kind)
    }


def fact_from_record(kind: type[T], record: dict[str, Any]) -> T:
    """The typed event of a record of the newest schema of `kind`."""
    return _build(kind, record)  # type: ignore[no-any-return]


@cache
def _to_record(kind: Any) -> tuple[tuple[str, Convert | None], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _plain_converter(hints[field.name])) for field in fields(kind))


def _plain_converter(hint: Any) -> Convert | None:
    if hint in _COLUMNS:
        return _sequence
    hint = _without_new_type(hint)
    if get_origin(hint) is tuple:
        item = _without_new_type(get_args(hint)[0])
        if is_dataclass(item):
            return partial(_items, record_from_fact)
        return partial(_items, index) if item is int else _sequence
    return index if hint is int else None


def _items(convert: Convert, values: Any) -> list[Any]:
    return [convert(value) for value in _sequence(values)]


def _sequence(values: Any) -> Any:
    if isinstance(values, str | bytes | Mapping):
        raise TypeError(f"must be a tuple, not {type(values).__name__}")
    return values


def _build(kind: Any, record: dict[str, Any]) -> Any:
    return kind(
        **{
            name: convert(record[name]) if convert else record[name]
            for name, convert in _from_record(kind)
        }
    )


@cache
def _from_record(kind: Any) -> tuple[tuple[str, Convert | None], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _typed_converter(hints[field.name])) for field in fields(kind))


def _build_all(kind: Any, records: Iterable[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_build(kind, record) for record in records)


def _typed_converter(hint: Any) -> Convert | None:
    if hint in _COLUMNS:
        return _COLUMNS[hint]
    hint = _without_new_type(hint)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return partial(_build_all, item) if is_dataclass(item) else tuple
    if isinstance(hint, UnionType):
        inner = next(part for part in get_args(hint) if part is not NoneType)
        convert = _typed_converter(inner)
        return (lambda value: None if value is None else convert(value)) if convert else None
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return None


def _without_new_type(hint: Any) -> Any:
    return _without_new_type(hint.__supertype__) if isinstance(hint, NewType) else hint
