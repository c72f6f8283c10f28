"""From the name of a ClickHouse type to the column that walks its bytes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol.columns import (
    Array,
    Column,
    Dynamic,
    Fixed,
    Json,
    LowCardinality,
    Nullable,
    Opaque,
    Strings,
    Tuple,
    Variant,
)

_WIDTHS: Final = {
    "Nothing": 1, "Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1,
    "Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
    "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "DateTime32": 4,
    "IPv4": 4, "Decimal32": 4, "Time": 4,
    "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8, "Time64": 8,
    "Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16,
    "Int256": 32, "UInt256": 32, "Decimal256": 32,
}  # fmt: skip
_GEOMETRY: Final = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}
_DECIMALS: Final = ((9, 4), (18, 8), (38, 16), (76, 32))
_MAX_NESTING: Final = 50
_NAME: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")
_ELEMENT_NAME: Final = re.compile(r"\s*(?:`(?:[^`\\]|\\.)+`|[\w.]+)\s+(?=[A-Za-z_])")
_JSON_PATH: Final = re.compile(r"\s*(`(?:[^`\\]|\\.)+`|[\w.]+(?:\.`(?:[^`\\]|\\.)+`)*)\s+(?=[A-Z])")


@functools.lru_cache(maxsize=4096)
def column_of(type_name: str) -> Column:
    """The walker for a type.

    Raises:
        ProtocolError: the text is not the name of a type.
    """
    return _parse(type_name, 0)


def _parse(text: str, depth: int) -> Column:
    if depth > _MAX_NESTING:
        raise ProtocolError(Code.INCORRECT_DATA, "A type is nested too deeply.")
    name, arguments = _split(text)
    if name in _WIDTHS:
        return Fixed(_WIDTHS[name])
    if name in _GEOMETRY:
        return _parse(_GEOMETRY[name], depth + 1)
    if name.startswith("Interval"):
        return Fixed(8)
    try:
        return _parse_composite(name, arguments, depth + 1)
    except (IndexError, ValueError):
        raise _unknown(text) from None


def _parse_composite(name: str, arguments: list[str], depth: int) -> Column:
    match name:
        case "String":
            return Strings()
        case "FixedString":
            return Fixed(int(arguments[0]))
        case "Decimal":
            precision = int(arguments[0])
            return Fixed(next(width for most, width in _DECIMALS if precision <= most))
        case "Nullable":
            return Nullable(_parse(arguments[0], depth))
        case "LowCardinality":
            inner, nested = _split(arguments[0])
            return LowCardinality(_parse(nested[0] if inner == "Nullable" else arguments[0], depth))
        case "Array":
            return Array(_parse(arguments[0], depth))
        case "Map":
            return Array(Tuple((_parse(arguments[0], depth), _parse(arguments[1], depth))))
        case "Tuple":
            return Tuple(tuple(_elements(arguments, depth)))
        case "Nested":
            return Array(Tuple(tuple(_elements(arguments, depth))))
        case "SimpleAggregateFunction":
            return _parse(arguments[1], depth)
        case "Variant":
            names = sorted(argument.strip() for argument in arguments)
            return Variant(tuple(_parse(one, depth) for one in names))
        case "Dynamic":
            return Dynamic()
        case "JSON":
            return Json(tuple(_json_paths(arguments, depth)))
        case "AggregateFunction" | "Object" | "QBit" | "Geometry":
            return Opaque(name)
    raise ValueError(name)


def _elements(arguments: list[str], depth: int) -> Iterator[Column]:
    for argument in arguments:
        named = _ELEMENT_NAME.match(argument)
        yield _parse(argument[named.end() :] if named else argument, depth)


def _json_paths(arguments: list[str], depth: int) -> Iterator[Column]:
    typed = []
    for argument in arguments:
        if "=" in argument.split("(")[0] or re.match(r"\s*SKIP\s", argument):
            continue
        path = _JSON_PATH.match(argument)
        if path is None:
            raise ValueError(argument)
        typed.append((path[1].replace("`", ""), argument[path.end() :]))
    for _, declared in sorted(typed):
        yield _parse(declared, depth)


def _split(text: str) -> tuple[str, list[str]]:
    """`Name(a, b)` as the name and its arguments, minding brackets and quotes."""
    head = _NAME.match(text)
    if head is None:
        raise _unknown(text)
    rest = text[head.end() :].strip()
    if not rest:
        return head[1], []
    if rest[0] != "(" or rest[-1] != ")":
        raise _unknown(text)
    return head[1], list(_arguments(rest[1:-1]))


def _arguments(text: str) -> Iterator[str]:
    depth, start, position = 0, 0, 0
    while position < len(text):
        character = text[position]
        if character in "'`\"":
            position = _end_of_quoted(text, position)
            continue
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            yield text[start:position]
            start = position + 1
        position += 1
    if text[start:].strip():
        yield text[start:]


def _end_of_quoted(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != text[start]:
        position += 2 if text[position] == "\\" else 1
    return position + 1


def _unknown(text: str) -> ProtocolError:
    return ProtocolError(Code.UNKNOWN_TYPE, f"Unknown type {text[:200]!r}.")
