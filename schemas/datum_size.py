"""Answers how many bytes each value of a column takes as part of an Avro datum.

Source: Avro 1.12 specification, "Binary Encoding", in its canonical form: shortest variable-length
numbers, each array in one block without its size in bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

_BYTES = pl.UInt32()


def size_or_none(kind: Any, values: pl.Expr) -> pl.Expr:
    """The size of each value of an Avro type (UInt32), 0 where it is null.

    Raises:
        TypeError: what polars does not read: maps, unions of three, named references; enums, and
            the booleans and unions inside another type, which it reads without looking whether
            they are right.
    """
    size = _size(kind, values)
    return size.fill_null(0) if fixed_size(kind) is None else size


def type_name(kind: Any) -> Any:
    """The name of a type, however it is written; that of a union is "union"."""
    return kind["type"] if isinstance(kind, dict) else "union" if isinstance(kind, list) else kind


def fixed_size(kind: Any) -> int | None:
    """The size that every value of a type has, where it is the same for all."""
    if type_name(kind) == "fixed":
        return int(kind["size"])
    return _FIXED_SIZES.get(type_name(kind))


def _size(kind: Any, values: pl.Expr) -> pl.Expr:
    """The size of each value, 0 or null where it is null."""
    fixed = fixed_size(kind)
    if fixed is not None:
        return values.is_not_null().cast(_BYTES) * fixed
    name = type_name(kind)
    if name in _VARYING_SIZES:
        return _VARYING_SIZES[name](values)
    if name == "record":
        return pl.sum_horizontal(
            _size(field["type"], values.struct.field(field["name"])) for field in kind["fields"]
        )
    if name == "array":
        return _array_size(kind["items"], values)
    raise TypeError(f"{kind} is not read in columns here: use another Avro type")


def _array_size(kind: Any, values: pl.Expr) -> pl.Expr:
    length = values.list.len()
    fixed = fixed_size(kind)
    if fixed is not None:
        items = length * fixed
    else:
        items = values.list.eval(_size(kind, pl.element())).list.sum().cast(_BYTES)
    # A block is its length and items; then comes a zero. An empty array is no block and a zero.
    return items + _length_size(length) + (length > 0).cast(_BYTES)


def _long_size(values: pl.Expr) -> pl.Expr:
    number = values.cast(pl.Int64)
    magnitude = pl.when(number < 0).then(-1 - number).otherwise(number)
    # Zig-zag needs one bit more than the number itself, and -1 - n for a negative n.
    return (71 - magnitude.bitwise_leading_zeros()) // 7


def _length_size(values: pl.Expr) -> pl.Expr:
    # It is never negative and has 32 bits.
    return (39 - values.bitwise_leading_zeros()) // 7


def _text_size(length: pl.Expr) -> pl.Expr:
    return length + _length_size(length)


_FIXED_SIZES: Mapping[str, int] = {"float": 4, "double": 8}
_VARYING_SIZES: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "int": _long_size,
    "long": _long_size,
    "string": lambda values: _text_size(values.str.len_bytes()),
    "bytes": lambda values: _text_size(values.bin.size()),
}
