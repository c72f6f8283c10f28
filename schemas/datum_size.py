"""Answers how many bytes each row of a decoded frame takes as an Avro datum.

Source: Avro 1.12 specification, "Binary Encoding", in its canonical form: shortest variable-length
numbers, each array in one block without its size in bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from modeltrail.schemas.polars_types import split_nullable

_BYTES = pl.UInt32()
_ARRAY_END = 1


def datum_size(schema: Any) -> pl.Expr:
    """Size in bytes (UInt32) of each row, from the columns of a parsed record schema.

    Raises:
        TypeError: what polars does not read: maps, unions of three, named references, and enums
            that may be null or lie inside another type.
    """
    return pl.sum_horizontal(
        _constant(pl.col(field["name"]), 1)
        if _is_enum(field["type"])
        else _size(field["type"], pl.col(field["name"]))
        for field in schema["fields"]
    )


def _is_enum(kind: Any) -> bool:
    # Its number takes one byte below 64; a higher one only costs the slower decoder.
    return isinstance(kind, dict) and kind["type"] == "enum"


def _size(kind: Any, values: pl.Expr) -> pl.Expr:
    inner, nullable = split_nullable(kind)
    if nullable:
        return _size_of(inner, values).fill_null(0) + 1
    return _size_of(inner, values)


def _size_of(kind: Any, values: pl.Expr) -> pl.Expr:
    name = kind["type"] if isinstance(kind, dict) else kind
    if name in _SCALARS:
        return _SCALARS[name](values)
    if name == "fixed":
        return _constant(values, kind["size"])
    if name == "record":
        size = pl.sum_horizontal(
            _size(field["type"], values.struct.field(field["name"])) for field in kind["fields"]
        )
        return pl.when(values.is_not_null()).then(size)
    if name == "array":
        items = values.list.eval(_size(kind["items"], pl.element())).list.sum().cast(_BYTES)
        length = values.list.len()
        # An array is its blocks and a zero; an empty one has no block.
        block = pl.when(length > 0).then(_long_size(length)).otherwise(0)
        return items + block + _ARRAY_END
    raise TypeError(f"polars reads no {kind} here: use another Avro type")


def _constant(values: pl.Expr, size: int) -> pl.Expr:
    return values.is_not_null().cast(_BYTES) * size


def _long_size(values: pl.Expr) -> pl.Expr:
    number = values.cast(pl.Int64)
    # Zig-zag needs one bit more than the number itself, and -1 - n for a negative n.
    magnitude = pl.max_horizontal(number, -1 - number)
    return (71 - magnitude.bitwise_leading_zeros()) // 7


def _text_size(length: pl.Expr) -> pl.Expr:
    return length + _long_size(length)


_SCALARS: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "boolean": lambda values: _constant(values, 1),
    "float": lambda values: _constant(values, 4),
    "double": lambda values: _constant(values, 8),
    "int": _long_size,
    "long": _long_size,
    "string": lambda values: _text_size(values.str.len_bytes()),
    "bytes": lambda values: _text_size(values.bin.size()),
}
