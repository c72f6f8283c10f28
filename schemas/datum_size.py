"""Answers how many bytes each row of a decoded frame takes as an Avro datum, and how they lie.

Source: Avro 1.12 specification, "Binary Encoding", in its canonical form: shortest variable-length
numbers, each array in one block without its size in bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from modeltrail.schemas.polars_types import split_nullable

_BYTES = pl.UInt32()
_ARRAY_END = 1
#: The bits that a byte of choice has set in none of its values: 0 and 2 (branch 1), or 0 and 1.
_NEVER_IN_BRANCH, _NEVER_IN_BOOLEAN = 0b1111_1101, 0b1111_1110


@dataclass(frozen=True, slots=True)
class DatumLayout:
    """How a datum is cut at its bytes of choice: the branch of each union, and each boolean.

    Attributes:
        stretches: sizes in bytes (UInt32) of each row's pieces: up to the first byte of choice,
            from there up to the next, and from the last one to the end of the datum.
        never_set: the bits that are not set in each of the bytes of choice, if it is right.
    """

    stretches: tuple[pl.Expr, ...]
    never_set: tuple[int, ...]


def datum_layout(schema: Any) -> DatumLayout:
    """The layout of a parsed record schema's datums, from the columns that polars makes of them.

    Raises:
        TypeError: what polars does not read: maps, unions of three, named references, and enums
            that may be null or lie inside another type; and booleans and unions that do, which
            it reads without looking whether they are right.
    """
    stretches, never_set = [_Stretch(0, [])], []
    for field in schema["fields"]:
        kind, values = field["type"], pl.col(field["name"])
        inner, nullable = split_nullable(kind)
        if nullable:
            never_set.append(_NEVER_IN_BRANCH)
            stretches.append(_Stretch(1, [_size_or_none(inner, values)]))
        elif _name(kind) == "boolean":
            never_set.append(_NEVER_IN_BOOLEAN)
            stretches.append(_Stretch(1, []))
        elif _name(kind) == "enum":
            # Its number takes one byte below 64; a higher one only costs the slower decoder.
            stretches[-1].fixed += 1
        elif (fixed := _fixed_size(kind)) is not None:
            stretches[-1].fixed += fixed
        else:
            stretches[-1].varying.append(_size(kind, values))
    return DatumLayout(tuple(_sizes(stretches)), tuple(never_set))


@dataclass(slots=True)
class _Stretch:
    """The bytes that a stretch takes in every row, and those that vary."""

    fixed: int
    varying: list[pl.Expr]


def _sizes(stretches: list[_Stretch]) -> Iterator[pl.Expr]:
    for number, stretch in enumerate(stretches):
        if stretch.varying:
            size = sum(stretch.varying, start=pl.lit(stretch.fixed, dtype=_BYTES))
        else:
            size = pl.repeat(stretch.fixed, pl.len(), dtype=_BYTES)
        yield size.alias(str(number))


def _name(kind: Any) -> Any:
    return kind["type"] if isinstance(kind, dict) else "union" if isinstance(kind, list) else kind


def _fixed_size(kind: Any) -> int | None:
    """The size that every value of a type has, where it is the same for all."""
    size: int | None = kind["size"] if _name(kind) == "fixed" else _FIXED_SIZES.get(_name(kind))
    return size


def _size_or_none(kind: Any, values: pl.Expr) -> pl.Expr:
    """The size of each value, 0 where it is null."""
    size = _size(kind, values)
    return size.fill_null(0) if _fixed_size(kind) is None else size


def _size(kind: Any, values: pl.Expr) -> pl.Expr:
    """The size of each value, 0 or null where it is null."""
    fixed = _fixed_size(kind)
    if fixed is not None:
        return values.is_not_null().cast(_BYTES) * fixed
    name = _name(kind)
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
    fixed = _fixed_size(kind)
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
